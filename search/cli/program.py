"""The program as a whole: its commands, and how an error becomes a message and an exit code."""

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from search.exit_code import ExitCode
from space.cli.messages import printable, usage
from space.cli.options import refuse_undecodable
from space.cli.output import on_standard_streams
from space.errors import InputError

_COMMANDS = {
    "run": "search.cli.run:command",
    "continue": "search.cli.going_on:continue_command",
    "repeat": "search.cli.going_on:repeat_command",
    "best": "search.cli.best:command",
    "show": "search.cli.show:command",
    "studies": "search.cli.studies:command",
    "upgrade": "search.cli.upgrade:command",
    "space": "space.cli:command",
}


class _Lazy(click.Group):
    """Imports a command when it is used: Ray and torch are slow to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def _version() -> str:
    """The version; "0" in a source tree that is not installed, as in the store."""
    try:
        return version("mixspace")
    except PackageNotFoundError:
        return "0"


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(_version(), prog_name="mixspace")
def program() -> None:
    """Search the design space of vision token mixers.

    \b
    A first search, on real images, in a few minutes:
      python -m search run configs/quickstart.yaml
    What came out of it:
      python -m search best --top 5
      python -m search best --where "dynamics = static and params < 200k"
      python -m search show ARCHITECTURE
    On a cluster, through Ray:
      ray job submit --working-dir . -- python -m search run configs/imagenet.yaml
    The dashboard:
      streamlit run dashboard

    Exit codes: 0 done, 1 the run failed, 2 bad input, 3 stopped at a budget, 130 interrupted.
    Data go to stdout, progress and messages to stderr.
    """


def run_program(arguments: list[str] | None) -> int:
    """Run the program; its exit code.

    Args:
        arguments: without the program's name; None takes those of this process.
    """
    return on_standard_streams(lambda: _answer(arguments))


def _answer(arguments: list[str] | None) -> int:
    from search.store import StoreError
    from space.passwords import masked

    name = "mixspace" if arguments is None and _is_script() else "python -m search"
    try:
        refuse_undecodable(arguments)
        result = program.main(args=arguments, prog_name=name, standalone_mode=False)
        return int(result or ExitCode.DONE)
    except InputError as error:
        click.echo(masked(describe(error)), err=True)
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        click.echo(masked(usage(error)), err=True)
        return ExitCode.BAD_INPUT
    except StoreError as error:
        click.echo(f"error: {error}", err=True)
        return ExitCode.FAILED
    except (click.Abort, KeyboardInterrupt) as error:
        # Click turns a KeyboardInterrupt into an Abort.
        signalled = error.__cause__ if isinstance(error, click.Abort) else error
        reason = str(signalled or "") or "interrupted"
        click.echo(f"{reason}; to go on, run the same command again", err=True)
        return ExitCode.INTERRUPTED


def describe(error: InputError) -> str:
    """All problems for people: one line for one, a list for more."""
    if len(error.problems) == 1:
        return printable(f"error: {error.problems[0]}")
    lines = [f"error: {len(error.problems)} problems"]
    lines += [f"  {problem}".replace("\n", "\n  ") for problem in error.problems]
    return printable("\n".join(lines))


def _is_script() -> bool:
    return Path(sys.argv[0]).name.startswith("mixspace")
