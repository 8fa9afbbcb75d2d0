"""Options that several commands share, and how they print JSON."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

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


def print_json(values: Any) -> None:
    """Print plain values as JSON on stdout."""
    click.echo(json.dumps(values, indent=2, allow_nan=False))
