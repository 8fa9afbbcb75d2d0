"""`run`: search; and what the commands that train have in common: progress, report, last words."""

import logging
import os
import shlex
import stat
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO, cast

import click

from search.cli.next_commands import NextCommands, next_commands
from search.cli.options import set_option, store_option
from search.cli.progress_line import ProgressLine
from search.cli.report import as_json as report_as_json
from search.cli.report import print_report
from search.config import Config, load_config
from search.driver.device_time import SPENT
from search.driver.extra_trials import ExtraTrialsRequest
from search.driver.store_retry import StoreRetry, opened_again
from search.exit_code import ExitCode
from search.next_steps import STORE_VARIABLE
from search.query.baseline import ENOUGH
from search.runner import RunOutcome, run_study
from search.runner.run_end import ExitMessage, leave
from search.store import StoreError, TrialState
from space.cli.commands import PathType, json_option, print_json
from space.cli.output import report_may_be_lost, stdout_console
from space.errors import InputError
from space.surface import surface
from trainers import classify


@click.command("run")
@click.argument("config", type=PathType())
@click.option("--study", metavar="NAME", help="Name of the study, in place of the configuration's.")
@store_option(default=None)
@set_option("Change a field of the configuration; VALUE is YAML.")
@click.option(
    "--with-random-baseline",
    "random_baseline",
    metavar="SHARE",
    help="Give this share of the trials (0.1 is a tenth) to random points, so that the report can "
    f"say what the searcher is worth. That takes {ENOUGH} random points.",
)
@click.option("--resume", is_flag=True, help="Go on with the study if it is there already.")
@json_option
def command(
    config: Path,
    study: str | None,
    store: str | None,
    overrides: tuple[str, ...],
    random_baseline: str | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Run the search that CONFIG, a YAML file, describes.

    \b
    Examples:
      python -m search run quickstart
      python -m search run quickstart --resume
      python -m search run quickstart --study again --set trials=10 --set seed=1
      python -m search run quickstart --set protocol.epochs=2 --set initial=[named]
      python -m search run quickstart --with-random-baseline 0.2
      ray job submit --working-dir . -- python -m search run imagenet

    Ctrl-C stops cleanly. The same command with --resume goes on: it starts the study if it does
    not exist, and says so if it is complete. Everything is checked before anything is written.

    \b
    Searchers, schedulers and their options:
      python -m search methods
    """
    if random_baseline is not None:
        overrides = (*overrides, f"random_baseline={random_baseline}")
    loaded = load_config(config, overrides=overrides, study=study, store=store)
    commands = next_commands(
        str(config), loaded.study, loaded.store, overrides, store_given=store is not None
    )
    return carry_out(loaded, commands, resume=resume, as_json=as_json)


_LOG = logging.getLogger(__name__)
_JOB_VARIABLE = "RAY_JOB_CONFIG_JSON_ENV_VAR"


def carry_out(
    config: Config,
    commands: NextCommands,
    *,
    resume: bool,
    as_json: bool,
    extra_request: ExtraTrialsRequest | None = None,
) -> int:
    """Run a study and print what came of it; the exit code.

    Args:
        commands: about the study, for what is said in the end.
    """
    carried = _CarriedOut(config, commands)
    warn_of_surroundings(config, carried.progress.say)
    try:
        outcome = carried.run(resume, extra_request)
        with report_may_be_lost():  # the exit code still says how the run ended
            carried.print(outcome, as_json)
    except StoreError as error:
        return carried.ended(str(error), ExitCode.FAILED)
    except KeyboardInterrupt as error:
        return carried.ended(str(error) or "interrupted", ExitCode.INTERRUPTED)
    except (InputError, click.ClickException):
        raise
    except Exception as error:  # noqa: BLE001 - the last line says how to go on, whatever it was
        _LOG.debug("the driver failed", exc_info=error)
        return carried.ended(unexpected(error), ExitCode.FAILED)
    if outcome.exit_code != ExitCode.DONE:
        carried.say_what_stopped_it(outcome)
    return int(outcome.exit_code)


class _CarriedOut:
    """A run from a command line: what is said meanwhile, of what came of it, and in the end."""

    def __init__(self, config: Config, commands: NextCommands) -> None:
        self._config, self._commands = config, commands
        self.progress = ProgressLine()
        self._exit_message = ExitMessage(self.progress.say_last, self._advice)

    def run(self, resume: bool, extra_request: ExtraTrialsRequest | None) -> RunOutcome:
        """The run itself."""
        try:
            # Ray prints the death of a worker to stdout, which is for the data.
            until = cast(TextIO, _UntilExitMessage(sys.stderr, self._exit_message))
            with redirect_stdout(until), redirect_stderr(until):
                return run_study(
                    self._config,
                    resume=resume,
                    watcher=self.progress,
                    address=os.environ.get("RAY_ADDRESS") or None,
                    extra_request=extra_request,
                    exit_message=self._exit_message,
                )
        finally:
            self.progress.close()

    def print(self, outcome: RunOutcome, as_json: bool) -> None:
        """Print the report; one that cannot be read changes nothing about how the run ended."""

        def report() -> None:
            with opened_again(self._config.store, create=False) as store:
                if as_json:
                    print_json(report_as_json(store, outcome))
                else:
                    commands = self._fitting_commands(str(outcome.reason))
                    print_report(stdout_console(), store, outcome, commands)

        said = self._exit_message
        seconds = self._config.store_patience if outcome.exit_code == ExitCode.DONE else 0.0
        try:
            StoreRetry(seconds, lambda: said.said, self.progress.say).until_back(report)
        except StoreError as error:  # it went away meanwhile
            if not said.said:  # they are the last, and tell of a store that was away before
                self.progress.say(f"There is no report: {error}")

    def say_what_stopped_it(self, outcome: RunOutcome) -> None:
        """The last words on a run that was not done."""
        if outcome.progress.ended < outcome.progress.planned or self._exit_message.said:
            self.ended(str(outcome.reason), outcome.exit_code)
            return
        counts = outcome.progress.counts
        last = self._commands.when_all_failed(
            str(outcome.reason),
            failed=counts[TrialState.FAILED] > 0,
            infeasible=counts[TrialState.INFEASIBLE] > 0,
        )
        self.progress.say_last(last)

    def ended(self, reason: str, code: ExitCode) -> int:
        """Say why; the exit code."""
        if not self._exit_message.say(reason):
            leave(code)
        return code

    def _fitting_commands(self, reason: str) -> NextCommands:
        """The commands that fit how far the run has come, and what stopped it."""
        recorded, commands = self._exit_message.recorded, self._commands_after(reason)
        return commands.once_recorded() if recorded else commands

    def _commands_after(self, reason: str) -> NextCommands:
        """Behind a spent budget the same command would stop at once: with twice as much."""
        budget = self._config.budget
        if budget is None or not reason.startswith(SPENT):
            return self._commands
        more = f"budget={budget.doubled}"
        return replace(self._commands, overrides=(*self._commands.overrides, more))

    def _advice(self, reason: str) -> Sequence[str]:
        """The last lines of a run that was not done."""
        recorded = self._exit_message.recorded
        return self._commands_after(reason).when_stopped(reason, recorded=recorded)


def unexpected(error: Exception) -> str:
    """An error that nothing was prepared for, and where it came from, on one line."""
    if isinstance(error, OSError):
        return classify(error).sentence
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {error}"[:300]
    return f"{said} ({Path(where.filename).name}, line {where.lineno})"


class _UntilExitMessage:
    """A stream on which nothing follows the last words, whoever writes: Ray, a log."""

    def __init__(self, stream: TextIO, exit_message: ExitMessage) -> None:
        self._stream, self._exit_message = stream, exit_message

    def write(self, text: str) -> int:
        """Write to the stream, or not."""
        return len(text) if self._exit_message.over else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def warn_of_surroundings(config: Config, say: Callable[[str], None]) -> None:
    """Say what a run may lose, and to whom, where it is run."""
    _warn_of_lost_folders(config, say)
    _warn_of_readable_token(say)


def _warn_of_lost_folders(config: Config, say: Callable[[str], None]) -> None:
    """A Ray job runs in a copy of the working directory, which Ray deletes in the end."""
    if _JOB_VARIABLE not in os.environ:
        return
    path = config.store.removeprefix("sqlite:///")
    if "://" not in path and not path.startswith(("/", "~")):
        field = surface().field("store")
        way_out = f"give an absolute path or a PostgreSQL URL by {field} or {STORE_VARIABLE}"
        say(_lost(f"the store {config.store}", way_out))
    if not config.checkpoints.is_absolute():
        way_out = f"give an absolute path by {surface().setting('checkpoints', '/PATH')}"
        say(_lost(f"the checkpoints folder {config.checkpoints}", way_out))


def _warn_of_readable_token(say: Callable[[str], None]) -> None:
    """Ray itself makes the file with the token of a cluster as the umask has it."""
    if not os.environ.get("RAY_ADDRESS") or os.environ.get("RAY_AUTH_TOKEN"):
        return
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    try:
        readable = stat.S_IMODE(file.stat().st_mode) & 0o077
    except OSError:
        return
    if readable:
        say(
            f"warning: others may read {file}, and whoever has Ray's token may run code: "
            f"chmod 600 {shlex.quote(str(file))}"
        )


def _lost(what: str, way_out: str) -> str:
    return (
        f"warning: {what} is a relative path, and this is a Ray job: it lies in a copy of the "
        f"working directory that Ray deletes; {way_out}"
    )
