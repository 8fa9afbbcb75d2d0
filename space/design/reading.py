"""Reading a file that a person wrote, whatever is in it: plain values, or one clear refusal."""

from pathlib import Path
from typing import Any

from space.errors import InputError
from space.plain_values import from_json, from_yaml

MOST_BYTES = {"YAML": 250_000, "JSON": 1_000_000}
"""A file of that size is read in seconds."""


def read_yaml(path: str | Path) -> Any:
    """The plain values of a YAML file.

    Raises:
        InputError: for a file that is missing or too large, and as `from_yaml` does.
    """
    return from_yaml(_text(path, "YAML"), str(path))


def read_json(path: str | Path) -> Any:
    """The plain values of a JSON file.

    Raises:
        InputError: for a file that is missing or too large, and as `from_json` does.
    """
    return from_json(_text(path, "JSON"), str(path))


def _text(path: str | Path, kind: str) -> str:
    most = MOST_BYTES[kind]
    try:
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError.of(str(path), f"cannot be read: {reason}") from None
    if len(content) > most:
        raise InputError.of(str(path), f"is too large; at most {most:,} bytes for {kind}")
    try:
        return content.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise InputError.of(str(path), f"is not text in UTF-8: {error}") from None
