"""Options that several commands share, and how they print."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from search.next_steps import DEFAULT_STORE, STORE_VARIABLE

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


def set_option(help_text: str) -> Callable[[F], F]:
    """`--set`, the texts of which are `overrides`."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="FIELD=VALUE",
        help=f"{help_text} May be given many times.",
    )
