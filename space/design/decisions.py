"""The decision process of a design space: the questions whose answers make an architecture.

Searchers see nothing but questions with a name and a list of answers; they need not know what the
questions are about. Replaying an architecture gives the answers that lead to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from space.architecture import Architecture, Stage
from space.design.mixer_questions import Value, field_value
from space.design.stage_options import StageOptions
from space.mixer import Mixer

Read = Callable[[Architecture], Value | None]


class Choose(Protocol):
    """Picks one of the options of a decision."""

    def __call__(self, name: str, options: tuple[Value, ...], read: Read) -> Value:
        """Returns one of `options`.

        Args:
            name: what is decided, such as `stages[0].width`.
            options: the answers that earlier decisions leave.
            read: the answer that a given architecture took here; None if it took another way.
        """
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """One answered question."""

    name: str
    options: tuple[Value, ...]
    value: Value


def choose_stage(options: StageOptions, index: int, choose: Choose) -> Stage:
    """Asks for the fields of one stage.

    Args:
        options: what the stage may be.
        index: its number, for the names of the decisions.
        choose: the searcher.
    """
    where = f"stages[{index}]"
    shapes = options.shapes()

    def ask(name: str, place: int) -> Any:
        values = tuple(dict.fromkeys(shape[place] for shape in shapes))
        choice = choose(f"{where}.{name}", values, lambda a: getattr(a.stages[index], name))
        shapes[:] = [shape for shape in shapes if shape[place] == choice]
        return choice

    width, depth, ratio = ask("width", 0), ask("depth", 1), ask("mlp_ratio", 2)
    pattern = [
        _choose_mixer(options, width, depth, index, place, choose)
        for place in range(options.pattern_length(depth))
    ]
    return Stage(depth, width, ratio, tuple(pattern))


def _choose_mixer(
    options: StageOptions, width: int, depth: int, index: int, place: int, choose: Choose
) -> Mixer:
    where = f"stages[{index}].mixers[{place}]"

    def reading(field: str) -> Read:
        def read(architecture: Architecture) -> Value | None:
            mixer = options.chosen(architecture.stages[index], place)
            return None if mixer is None else field_value(mixer, field)

        return read

    remaining = options.questions(width, depth, place)
    while remaining.question:
        field, answers = remaining.question
        choice = choose(f"{where}.{field}", tuple(answers), reading(field))
        remaining = answers[choice]
    return remaining.mixers[0]
