"""`run`: search."""

import os
from pathlib import Path

import click

from search.cli.options import Command, json_option, print_json, store_option
from search.commands import STORE_VARIABLE, NextCommands, next_commands
from search.config import Config, load_config
from search.exit_code import ExitCode
from search.progress import ProgressLine
from search.report import as_json as report_as_json
from search.report import print_report
from search.runner import RunOutcome, run_study
from search.store import open_store
from space.cli.output import ReaderLeft, close_stdout, stdout_console

_JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"


@click.command("run", cls=Command)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--study", metavar="NAME", help="Name of the study, in place of the configuration's.")
@store_option(default=None)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the configuration; VALUE is YAML. May be given many times.",
)
@click.option("--resume", is_flag=True, help="Go on with the study if it is there already.")
@json_option
def command(
    config: Path,
    study: str | None,
    store: str | None,
    overrides: tuple[str, ...],
    resume: bool,
    as_json: bool,
) -> int:
    """Run the search that CONFIG, a YAML file, describes.

    \b
    Examples:
      python -m search run configs/quickstart.yaml
      python -m search run configs/quickstart.yaml --resume
      python -m search run configs/quickstart.yaml --study again --set trials=10 --set seed=1
      python -m search run configs/quickstart.yaml --set protocol.epochs=2 --set initial=[named]
      ray job submit --working-dir . -- python -m search run configs/imagenet.yaml

    Ctrl-C stops cleanly. The same command with --resume goes on: it starts the study if it does
    not exist, and says so if it is complete. Everything is checked before anything is written.
    """
    loaded = load_config(config, overrides=overrides, study=study, store=store)
    address = os.environ.get("RAY_ADDRESS") or None
    progress = ProgressLine()
    _warn_of_lost_folders(loaded, progress)
    try:
        outcome = run_study(loaded, resume=resume, watcher=progress, address=address)
    finally:
        progress.close()
    commands = next_commands(
        str(config), outcome.study, loaded.store, overrides, store_given=store is not None
    )
    try:
        _print(loaded, outcome, commands, as_json)
    except ReaderLeft:
        close_stdout()  # the exit code still says how the run ended
    if outcome.exit_code != ExitCode.DONE:
        _say_what_stopped_it(progress, outcome, commands)
    return int(outcome.exit_code)


def _print(config: Config, outcome: RunOutcome, commands: NextCommands, as_json: bool) -> None:
    with open_store(config.store, create=False) as store:
        if as_json:
            print_json(report_as_json(store, outcome))
        else:
            print_report(stdout_console(), store, outcome, commands)


def _say_what_stopped_it(
    progress: ProgressLine, outcome: RunOutcome, commands: NextCommands
) -> None:
    if outcome.stand.ended >= outcome.stand.planned:
        progress.say(f"Failed: {outcome.reason}")
        return
    if commands.first is not None:
        progress.say(commands.first)
    progress.say(f"Stopped: {outcome.reason}. To go on: {commands.resume()}")


def _warn_of_lost_folders(config: Config, progress: ProgressLine) -> None:
    """A Ray job runs in a copy of the working directory, which Ray deletes in the end."""
    if _JOB_VARIABLE not in os.environ:
        return
    path = config.store.removeprefix("sqlite:///")
    if "://" not in path and not Path(path).expanduser().is_absolute():
        way_out = f"give an absolute path or a PostgreSQL URL by --store or {STORE_VARIABLE}"
        progress.say(_lost(f"the store {config.store}", way_out))
    if not config.checkpoints.is_absolute():
        way_out = "give an absolute path by --set checkpoints=/PATH"
        progress.say(_lost(f"the checkpoints folder {config.checkpoints}", way_out))


def _lost(what: str, way_out: str) -> str:
    return (
        f"warning: {what} is a relative path, and this is a Ray job: it lies in a copy of the "
        f"working directory that Ray deletes; {way_out}"
    )
