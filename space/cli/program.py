"""The group of commands, and how an error becomes a message and an exit code."""

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from space.cli.messages import describe, usage
from space.cli.options import refuse_undecodable
from space.cli.output import on_standard_streams
from space.design import Infeasible, TooLarge
from space.errors import InputError
from space.passwords import masked

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

_COMMANDS = ("cells", "graph", "zoo", "cost", "show", "count", "sample")


class _Lazy(click.Group):
    """Imports a command when it is used, so that the program starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        found: click.Command = import_module(f"space.cli.{cmd_name}").command
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what it cannot tell is said here, so that every program agrees on it."""
        try:
            return super().invoke(ctx)
        except (TooLarge, Infeasible) as error:
            click.echo(f"error: {error}", err=True)
            return FAILED


@click.group("space", cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at what can be built: operators, networks and design spaces.

    \b
    The operators, and how they are related:
      python -m space cells
      python -m space graph
    The published networks, one of them with its cost, and a picture of it:
      python -m space zoo
      python -m space cost dwnet_tiny
      python -m space show swin_tiny --out swin.svg
    A space of your own: how many networks, and some of them, drawn uniformly:
      python -m space count configs/spaces/imagenet-tiny.yaml
      python -m space sample configs/spaces/imagenet-tiny.yaml --number 3

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
    return on_standard_streams(lambda: _answer(arguments))


def _answer(arguments: list[str] | None) -> int:
    try:
        refuse_undecodable(arguments)
        result = command.main(args=arguments, prog_name="python -m space", standalone_mode=False)
        return int(result or DONE)
    except InputError as error:
        click.echo(masked(describe(error)), err=True)
        return BAD_INPUT
    except click.ClickException as error:
        click.echo(masked(usage(error)), err=True)
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
