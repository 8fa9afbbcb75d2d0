"""What every program of ours is made of: commands, the options they share, and exit codes.

Commands are imported when used, and errors become exit codes.
"""

import gc
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from space.cli.messages import describe, usage
from space.cli.output import on_standard_streams
from space.errors import InputError, MixspaceError, Problem
from space.input.paths import given_path, shown_path
from space.passwords import masked
from space.surface import COMMAND_LINE, speaking

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class LazyGroup(click.Group):
    """Imports a command when it is used, so that the program starts fast.

    Args:
        places: "module:command" by name, in the order in which a person meets them.
        renamed: names that commands had in earlier releases, and theirs now.
    """

    def __init__(
        self,
        *args: Any,
        places: Mapping[str, str],
        renamed: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places, self._renamed = dict(places), dict(renamed or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or what has it today; then it says so."""
        if cmd_name in self._renamed:
            now = self._renamed[cmd_name]
            click.echo(f"note: {cmd_name} is called {now} now.", err=True)
            return self.get_command(ctx, now)
        if cmd_name not in self._places:
            return None
        module, _, name = self._places[cmd_name].partition(":")
        with importing():
            command: click.Command = getattr(import_module(module), name)
        return command


@contextmanager
def importing() -> Iterator[None]:
    """Around imports: all that they make stays, and to look for garbage in it takes a sixth."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


def run_group(
    group: click.Group,
    arguments: list[str] | None,
    name: str,
    *,
    go_on: str = "",
) -> int:
    """Run a program; its exit code.

    Args:
        group: of its commands.
        arguments: without the program's name; None takes those of this process.
        name: of the program, for its usage.
        go_on: what to do after an interrupt.
    """
    return on_standard_streams(lambda: _answer(group, arguments, name, go_on))


def _answer(group: click.Group, arguments: list[str] | None, name: str, go_on: str) -> int:
    try:
        refuse_undecodable(arguments)
        with speaking(COMMAND_LINE):
            return int(group.main(args=arguments, prog_name=name, standalone_mode=False) or DONE)
    except InputError as error:
        click.echo(masked(describe(error)), err=True)
        return BAD_INPUT
    except click.ClickException as error:
        click.echo(masked(usage(error)), err=True)
        return BAD_INPUT
    except MixspaceError as error:  # no bad input, and yet no reason for a traceback
        click.echo(f"error: {error}", err=True)
        return FAILED
    except (click.Abort, KeyboardInterrupt) as error:
        # Click turns a KeyboardInterrupt into an Abort.
        signalled = error.__cause__ if isinstance(error, click.Abort) else error
        reason = str(signalled or "") or "interrupted"
        click.echo(f"{reason}; {go_on}" if go_on else reason, err=True)
        return INTERRUPTED


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="MODULE",
    help="A module that registers custom mixers. May be given many times.",
)
seed_option = click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Seed of NumPy's generator: the same seed, the same networks.",
)


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
