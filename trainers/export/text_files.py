"""Small files of text in an exported folder, whoever may have changed them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from space.errors import InputError

_LARGEST = 100_000_000
"""Bytes of a file that is read."""


def read_json(path: Path) -> Mapping[str, Any]:
    """The object that a file holds as JSON.

    Raises:
        InputError: it is missing, too large, or holds something else.
    """
    text = read_text(path)
    try:
        values = json.loads(text)
    except RecursionError:
        raise InputError.of(path.name, f"{path} is damaged (it is nested too deeply)") from None
    except ValueError as error:
        raise InputError.of(path.name, f"{path} is damaged ({error})") from None
    if not isinstance(values, dict):
        raise InputError.of(path.name, f"{path} is damaged (it holds no object)")
    return values


def read_text(path: Path) -> str:
    """The text of a file of an exported folder.

    Raises:
        InputError: it is missing, too large, or no text.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError.of(path.name, f"{path} is too large for what it should hold")
        return path.read_text("utf-8")
    except FileNotFoundError:
        message = f"{path} does not exist; is it a folder that was exported?"
        raise InputError.of(path.name, message) from None
    except (UnicodeDecodeError, IsADirectoryError, NotADirectoryError) as error:
        raise InputError.of(path.name, f"{path} is no file of text ({error})") from None
