"""Options that several commands share, and how they print."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

import click

from search.commands import DEFAULT_STORE, STORE_VARIABLE

F = TypeVar("F", bound=Callable[..., Any])


def store_option(default: str | None = DEFAULT_STORE) -> Callable[[F], F]:
    """`--store`, also taken from the environment.

    Args:
        default: where neither says anything; None leaves it to the configuration.
    """
    return click.option(
        "--store",
        envvar=STORE_VARIABLE,
        default=default,
        metavar="URL",
        help="Where results are: a file, sqlite:///FILE or postgresql://USER@HOST/DATABASE. "
        f"Taken from {STORE_VARIABLE} if not given"
        + (f", else {default}." if default else ", else from the configuration."),
    )


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(
        function
    )


def print_json(values: Any) -> None:
    """Print plain values as JSON on stdout."""
    click.echo(json.dumps(values, indent=2, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {value!r}")
