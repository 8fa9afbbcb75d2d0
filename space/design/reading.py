"""Reading a file that a person wrote, whatever is in it: plain values, or one clear refusal."""

import json
from pathlib import Path
from typing import Any

import yaml

from space.errors import InputError

MOST_BYTES = {"YAML": 250_000, "JSON": 1_000_000}
"""A file of that size is read in seconds."""
MOST_VALUES = 200_000
DEEPEST = 40
LONGEST_NUMBER = 400
"""In bits."""


def read_yaml(path: str | Path) -> Any:
    """The plain values of a YAML file.

    Raises:
        InputError: for a file that is missing, too large, nested too deeply, or not YAML.
    """
    text = _text(path, "YAML")
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise InputError.of(str(path), f"is not valid YAML: {_shortened(error)}") from None
    _refuse_if_endless(values, str(path))
    return values


def read_json(path: str | Path) -> Any:
    """The plain values of a JSON file.

    Raises:
        InputError: for a file that is missing, too large, nested too deeply, or not JSON.
    """
    text = _text(path, "JSON")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError.of(str(path), f"is not valid JSON: {_shortened(error)}") from None
    _refuse_if_endless(values, str(path))
    return values


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
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError.of(str(path), f"is not text in UTF-8: {error}") from None


def _shortened(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 500 else f"{text[:500]} …"


def _refuse_if_endless(values: Any, where: str) -> None:
    """Refuses what a few lines of aliases can unfold into, and what no file needs in depth."""
    left, open_ = MOST_VALUES, [(values, 0)]
    while open_:
        value, depth = open_.pop()
        if isinstance(value, dict):
            inner = [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            inner = list(value)
        else:
            if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
                raise InputError.of(where, "holds a number of more than a hundred digits")
            continue
        left -= len(inner)
        if depth >= DEEPEST:
            raise InputError.of(where, f"is nested too deeply; at most {DEEPEST} levels")
        if left < 0:
            raise InputError.of(where, f"holds too much; at most {MOST_VALUES:,} values")
        open_ += [(item, depth + 1) for item in inner]
