"""The group of commands that look at what can be built."""

import sys
from typing import NoReturn

import click

from space.cli.commands import LazyGroup, run_group

_COMMANDS = ("mixers", "graph", "zoo", "cost", "show", "count", "sample")


@click.group(
    "space",
    cls=LazyGroup,
    renamed={"cells": "mixers"},
    places={name: f"space.cli.{name}:command" for name in _COMMANDS},
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Look at what can be built: operators, networks and design spaces.

    \b
    The operators, and how they are related:
      python -m space mixers
      python -m space graph
    The published networks, one of them with its cost, and a picture of it:
      python -m space zoo
      python -m space cost dwnet_tiny
      python -m space show swin_tiny --out swin.svg
    A space of your own: how many networks, and some of them, drawn uniformly:
      python -m space count imagenet-tiny
      python -m space sample imagenet-tiny --number 3

    Every command takes --json. Exit codes: 0 done, 1 it cannot be told, 2 bad input, 130
    interrupted. Data go to stdout, messages to stderr.
    """


def main() -> NoReturn:
    """Run the program with the arguments of this process, and exit."""
    sys.exit(run_program(None))


def run_program(arguments: list[str] | None) -> int:
    """Run the program; its exit code.

    Args:
        arguments: without the program's name; None takes those of this process.
    """
    return run_group(command, arguments, "python -m space")
