"""Options and arguments that several commands share, and how they print JSON."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from space.errors import InputError, Problem
from space.paths import given_path, shown_path

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        function
    )


def seed_option(function: F) -> F:
    """`--seed`."""
    return click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(min=0),
        help="Seed of NumPy's generator: the same seed, the same networks.",
    )(function)


class PathType(click.ParamType[Path]):
    """A path that a person wrote, with `~` expanded."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        Raises:
            InputError: no file system could take it.
        """
        return given_path(value, param.opts[0] if param is not None else "")


def refuse_undecodable(arguments: Sequence[str] | None) -> None:
    """Refuse arguments whose bytes are no text: no file, database or terminal of ours takes them.

    Args:
        arguments: without the program's name; None takes those of this process.

    Raises:
        InputError: with every one of them.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if wrong := [text for text in given if any("\ud800" <= letter <= "\udfff" for letter in text)]:
        raise InputError(
            Problem("command line", f"must be text in UTF-8; got '{shown_path(text)}'")
            for text in wrong
        )


def print_json(values: Any) -> None:
    """Print plain values as JSON on stdout; times are written as in ISO 8601."""
    click.echo(json.dumps(values, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {value!r}")
