"""The program as a whole: its commands, and what it is called."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from space.cli.commands import LazyGroup, run_group

_COMMANDS = {
    "run": "search.cli.run:command",
    "continue": "search.cli.going_on:continue_command",
    "repeat": "search.cli.going_on:repeat_command",
    "retrain": "search.cli.retrain:command",
    "test": "search.cli.test:command",
    "methods": "search.cli.methods:command",
    "best": "search.cli.best:command",
    "show": "search.cli.show:command",
    "compare": "search.cli.compare:command",
    "failures": "search.cli.failures:command",
    "tag": "search.cli.tag:tag_command",
    "note": "search.cli.tag:note_command",
    "dump": "search.cli.dump:command",
    "load": "search.cli.load:command",
    "plot": "search.cli.plot:command",
    "effects": "search.cli.effects:command",
    "fidelity": "search.cli.fidelity:command",
    "export": "search.cli.export:command",
    "transfer": "search.cli.transfer:command",
    "latency": "search.cli.latency:command",
    "studies": "search.cli.studies:command",
    "delete": "search.cli.delete:command",
    "upgrade": "search.cli.studies:upgrade_command",
    "dashboard": "search.cli.dashboard:command",
    "space": "space.cli:command",
}


def installed_version() -> str:
    """The version; "0" in a source tree that is not installed, as in the store."""
    try:
        return version("mixspace")
    except PackageNotFoundError:
        return "0"


@click.group(
    cls=LazyGroup, places=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(installed_version(), prog_name="mixspace")
def program() -> None:
    """Search the design space of vision token mixers.

    \b
    A first search, on real images, in a few minutes:
      python -m search run quickstart
    What else it could search by: searchers, schedulers and their options:
      python -m search methods
    What came out of it:
      python -m search best --top 5
      python -m search best --where "dynamics = static and params < 200k"
      python -m search show ARCHITECTURE
      python -m search plot STUDY --out front.html
    To ship a network:
      python -m search export ARCHITECTURE --to FOLDER
    On a cluster, through Ray:
      ray job submit --working-dir . -- python -m search run imagenet
    The dashboard:
      python -m search dashboard

    Exit codes: 0 done, 1 the run failed, 2 bad input, 3 stopped at a budget, 130 interrupted.
    Data go to stdout, progress and messages to stderr.
    """


def run_program(arguments: list[str] | None) -> int:
    """Run the program; its exit code.

    Args:
        arguments: without the program's name; None takes those of this process.
    """
    name = _program_name() if arguments is None else "python -m search"
    again = "to go on, run the same command again"
    return run_group(program, arguments, name, go_on=again)


def _program_name() -> str:
    """As it was called."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"python -m {called.parent.name}"
    return "mixspace" if called.name.startswith("mixspace") else "python -m search"
