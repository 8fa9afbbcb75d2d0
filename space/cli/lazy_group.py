"""What every program of ours is: commands imported when used, and errors that become exit codes."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from space.cli.messages import describe, usage
from space.cli.options import refuse_undecodable
from space.cli.output import on_standard_streams
from space.errors import InputError
from space.passwords import masked

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class LazyGroup(click.Group):
    """Imports a command when it is used, so that the program starts fast.

    Args:
        places: "module:command" by name, in the order in which a person meets them.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = dict(places)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def run_group(
    group: click.Group,
    arguments: list[str] | None,
    name: str,
    *,
    failures: tuple[type[Exception], ...] = (),
    go_on: str = "",
) -> int:
    """Run a program; its exit code.

    Args:
        group: of its commands.
        arguments: without the program's name; None takes those of this process.
        name: of the program, for its usage.
        failures: errors that are no bad input, and yet no reason for a traceback.
        go_on: what to do after an interrupt.
    """
    return on_standard_streams(lambda: _answer(group, arguments, name, failures, go_on))


def _answer(
    group: click.Group,
    arguments: list[str] | None,
    name: str,
    failures: tuple[type[Exception], ...],
    go_on: str,
) -> int:
    try:
        refuse_undecodable(arguments)
        return int(group.main(args=arguments, prog_name=name, standalone_mode=False) or DONE)
    except InputError as error:
        click.echo(masked(describe(error)), err=True)
        return BAD_INPUT
    except click.ClickException as error:
        click.echo(masked(usage(error)), err=True)
        return BAD_INPUT
    except failures as error:
        click.echo(f"error: {error}", err=True)
        return FAILED
    except (click.Abort, KeyboardInterrupt) as error:
        # Click turns a KeyboardInterrupt into an Abort.
        signalled = error.__cause__ if isinstance(error, click.Abort) else error
        reason = str(signalled or "") or "interrupted"
        click.echo(f"{reason}; {go_on}" if go_on else reason, err=True)
        return INTERRUPTED
