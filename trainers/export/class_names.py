"""The names of the classes, one a line, in the order of the logits."""

from collections.abc import Sequence
from pathlib import Path

from space import Architecture
from space.errors import InputError
from trainers.export.text_files import read_text

NAME = "classes.txt"


def written(classes: Sequence[str]) -> tuple[str, ...]:
    """The names as a file of lines holds them: what is not printable is escaped."""
    return tuple(
        "".join(letter if letter.isprintable() else _escaped(letter) for letter in name)
        for name in classes
    )


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def refuse_other_number(classes: Sequence[str], architecture: Architecture, where: str) -> None:
    """Refuse names that are not as many as the network has logits.

    Raises:
        InputError: at `where`.
    """
    outputs = architecture.head.classes
    if len(classes) != outputs:
        message = f"{len(classes):,} names, and the network has {outputs:,} classes"
        raise InputError.of(where, message)


def write_classes(path: Path, classes: Sequence[str]) -> None:
    """Write the names."""
    path.write_text("".join(f"{name}\n" for name in written(classes)), "utf-8")


def read_classes(path: Path, architecture: Architecture) -> tuple[str, ...]:
    """The names of a file.

    Raises:
        InputError: it is missing, no text, or of another number of classes.
    """
    classes = tuple(read_text(path).split("\n")[:-1])
    refuse_other_number(classes, architecture, path.name)
    return classes
