"""The decision process of a design space: the questions whose answers make an architecture.

Searchers see nothing but questions with a name and a list of answers; they need not know what the
questions are about. Replaying an architecture gives the answers that lead to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from space.architecture import Architecture, Stage
from space.design.mixer_fields import field_names, field_value
from space.design.stage_options import StageOptions
from space.mixer import Mixer

Value = str | int | float
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


class StageDecisions:
    """The questions for one stage, kept from one architecture to the next."""

    def __init__(self, options: StageOptions, index: int) -> None:
        """
        Args:
            options: what the stage may be.
            index: its number, for the names of the decisions.
        """
        self._options = options
        self._index = index
        self._asked: dict[tuple[int, int, int], MixerChoices] = {}

    def walk(self, choose: Choose) -> Stage:
        """Asks for the fields of the stage."""
        shapes = self._options.shapes()

        def ask(name: str, place: int) -> Any:
            values = tuple(dict.fromkeys(shape[place] for shape in shapes))
            where = f"stages[{self._index}].{name}"
            choice = choose(where, values, lambda a: getattr(a.stages[self._index], name))
            shapes[:] = [shape for shape in shapes if shape[place] == choice]
            return choice

        width, depth, ratio = ask("width", 0), ask("depth", 1), ask("mlp_ratio", 2)
        places = range(self._options.pattern_length(depth))
        pattern = [self._mixer(width, depth, place, choose) for place in places]
        return Stage(depth, width, ratio, tuple(pattern))

    def _mixer(self, width: int, depth: int, place: int, choose: Choose) -> Mixer:
        key = width, depth, place
        if key not in self._asked:
            mixers = self._options.choices(*key)
            self._asked[key] = MixerChoices(mixers, ("operator", *field_names(mixers)))
        left = self._asked[key]
        while left.question:
            field, answers = left.question
            where = f"stages[{self._index}].mixers[{place}].{field}"
            left = answers[choose(where, tuple(answers), self._read(place, field))]
        return left.mixers[0]

    def _read(self, place: int, field: str) -> Read:
        def read(architecture: Architecture) -> Value | None:
            mixer = self._options.chosen(architecture.stages[self._index], place)
            return None if mixer is None else _answer(mixer, field)

        return read


@dataclass(frozen=True)
class MixerChoices:
    """The mixers that the answers so far leave: first to the operator, then to what is open.

    Attributes:
        mixers: at least one.
        fields: the operator, the sizes and the options, in the order in which they are asked for.
        asked: number of the fields that are settled.
    """

    mixers: tuple[Mixer, ...]
    fields: tuple[str, ...]
    asked: int = 0

    @cached_property
    def question(self) -> "tuple[str, dict[Value, MixerChoices]] | None":
        """The next field and what each answer leaves; None once a single mixer is left.

        The operator is asked for even where there is only one.
        """
        for number in range(self.asked, len(self.fields)):
            field = self.fields[number]
            groups: dict[Value, list[Mixer]] = {}
            for mixer in self.mixers:
                groups.setdefault(_answer(mixer, field), []).append(mixer)
            if len(groups) > 1 or number == 0:
                return field, {
                    value: MixerChoices(tuple(group), self.fields, number + 1)
                    for value, group in groups.items()
                }
        return None


def _answer(mixer: Mixer, name: str) -> Value:
    """The answer that leads to a mixer, to the question for its operator or for a field."""
    value = mixer.name if name == "operator" else field_value(mixer, name)
    return value if isinstance(value, str | int) else str(value)
