"""What is asked for is written as it is where it is asked: as options, or as arguments."""

import shlex
import threading
from typing import Any

import click
import pytest

from search.cli.going_on import continue_command, repeat_command
from space.surface import COMMAND_LINE, PYTHON, speaking, surface

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("continue", {}),
    ("continue", {"trials": 40, "pruned": 0, "failed": False, "numbers": ()}),
    ("continue", {"pruned": 3, "failed": True, "infeasible": True}),
    ("continue", {"numbers": (7, 12)}),
    ("repeat", {"top": 5, "seeds": 3}),
]
COMMANDS: dict[str, click.Command] = {"continue": continue_command, "repeat": repeat_command}


@pytest.mark.parametrize(("verb", "arguments"), ASKED)
@pytest.mark.parametrize("store", [None, "it's mine.db"])
def test_a_command_is_read_as_what_it_was_written_of(
    verb: str, arguments: dict[str, Any], store: str | None
) -> None:
    written = COMMAND_LINE.request(verb, "a study", arguments, store)
    name, *words = shlex.split(written)
    assert name == verb
    read = COMMANDS[verb].make_context(name, words).params
    assert read["study"] == "a study"
    assert store is None or read["store"] == store
    for argument, value in arguments.items():
        assert (read[argument] or None) == (value or None)


class Written:
    """In the place of `mixspace`: remembers a call."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def Study(self, *place: str) -> "Written":
        self.heard.append(place)
        return self

    def continue_(self, **arguments: Any) -> None:
        self.heard.append(("continue", arguments))

    def repeat(self, **arguments: Any) -> None:
        self.heard.append(("repeat", arguments))


@pytest.mark.parametrize(("verb", "arguments"), ASKED)
@pytest.mark.parametrize("store", [None, "it's mine.db"])
def test_a_call_does_what_it_was_written_of(
    verb: str, arguments: dict[str, Any], store: str | None
) -> None:
    called = Written()
    eval(PYTHON.request(verb, "a study", arguments, store), {"mixspace": called})
    kept = {name: value for name, value in arguments.items() if value}
    kept |= {"numbers": list(kept["numbers"])} if "numbers" in kept else {}
    place = ("a study",) if store is None else ("a study", store)
    assert called.heard == [place, (verb, kept)]


def test_fields_are_written_for_whoever_asks_in_every_thread() -> None:
    seen: list[str] = []

    def look() -> None:
        here = surface()
        seen.append(f"{here.given('resume', True)} {here.given('study', 'NAME')}")
        seen.append(f"{here.field('top')} {here.setting('checkpoints', 'FOLDER')}")

    look()
    with speaking(COMMAND_LINE):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    look()
    python = ["resume=True study=NAME", "top checkpoints=FOLDER"]
    line = ["--resume --study NAME", "--top --set checkpoints=FOLDER"]
    assert seen == [*python, *line, *python]
