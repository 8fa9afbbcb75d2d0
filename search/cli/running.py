"""What the commands that train have in common: progress, the report, what to do next."""

import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from search.cli.options import print_json
from search.commands import STORE_VARIABLE, NextCommands, next_commands
from search.config import Config
from search.exit_code import ExitCode
from search.progress import ProgressLine
from search.report import as_json as report_as_json
from search.report import print_report
from search.runner import RunOutcome, run_study
from search.runner.extra import Asked
from search.store import open_store
from space.cli.output import report_may_be_lost, stdout_console

_JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"


@dataclass(frozen=True, slots=True)
class GivenRun:
    """What the person wrote, for the commands that are printed in the end.

    Attributes:
        config: path of the configuration; None where the study's own is used.
        overrides: texts of `--set`. store_given: whether `--store` was written.
    """

    config: str | None
    overrides: tuple[str, ...] = ()
    store_given: bool = True


def carry_out(
    config: Config,
    given: GivenRun,
    *,
    resume: bool,
    as_json: bool,
    asked: Asked | None = None,
) -> int:
    """Run a study and print what came of it; the exit code."""
    address = os.environ.get("RAY_ADDRESS") or None
    progress = ProgressLine()
    _warn_of_lost_folders(config, progress)
    try:
        # Ray prints the death of a worker to stdout, which is for the data.
        with redirect_stdout(sys.stderr):
            outcome = run_study(
                config, resume=resume, watcher=progress, address=address, asked=asked
            )
    finally:
        progress.close()
    commands = next_commands(
        given.config, outcome.study, config.store, given.overrides, store_given=given.store_given
    )
    with report_may_be_lost():  # the exit code still says how the run ended
        _print(config, outcome, commands, as_json)
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
