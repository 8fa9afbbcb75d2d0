"""Reading a file that a person wrote, whatever is in it: plain values, or one clear refusal."""

from pathlib import Path
from typing import Any

from space.errors import InputError
from space.input.paths import given_path, shown_path
from space.input.plain_values import from_json, from_yaml

MOST_BYTES = {"YAML": 250_000, "JSON": 1_000_000}
"""A file of that size is read in seconds."""


def read_yaml(path: str | Path) -> Any:
    """The plain values of a YAML file; `~` in its path is the home.

    Raises:
        InputError: for a file that is missing or too large, and as `from_yaml` does.
    """
    return from_yaml(_text(path, "YAML"), shown_path(str(path)))


def read_json(path: str | Path) -> Any:
    """The plain values of a JSON file; `~` in its path is the home.

    Raises:
        InputError: for a file that is missing or too large, and as `from_json` does.
    """
    return from_json(_text(path, "JSON"), shown_path(str(path)))


def _text(path: str | Path, kind: str) -> str:
    most, name = MOST_BYTES[kind], shown_path(str(path))
    try:
        with given_path(path, name).open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise InputError.of(name, f"cannot be read: {error.strerror or error}") from None
    if len(content) > most:
        raise InputError.of(name, f"is too large; at most {most:,} bytes for {kind}")
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise InputError.of(name, f"is not text in UTF-8: {error}") from None
