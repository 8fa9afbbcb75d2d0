"""A run that Python asked for: what is said of it, and what comes of it, a value or an error."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mixspace.arguments import ADDRESS, FLAG, refuse_wrong_types
from mixspace.progress_bar import Log, ProgressBar, Teller
from search.cli.run import unexpected, warn_of_surroundings
from search.config import Config
from search.driver.device_time import SPENT
from search.driver.extra_trials import ExtraTrialsRequest
from search.driver.study_progress import Progress
from search.driver.study_setup import progress_of
from search.next_steps import DEFAULT_STORE, STORE_VARIABLE, MoreWork, NextSteps
from search.program_signals import CutShort
from search.runner import ExitCode, RunOutcome, run_study
from search.runner.run_end import ExitMessage
from search.runner.study_lookup import find_study
from search.store import StoreError, TrialState
from search.store.open import open_to_look_up
from search.store.url import display, parse_url, secrets
from space.errors import InputError, MixspaceError
from space.surface import PYTHON


class RunFailed(MixspaceError):
    """A run that failed, where the command line exits with 1.

    Attributes:
        outcome: how far it came; None where an error that nothing was prepared for ended it.
    """

    def __init__(self, message: str, outcome: RunOutcome | None = None) -> None:
        super().__init__(message)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class NextCalls(NextSteps):
    """The calls about a run that Python asked for, as a person may copy them.

    Attributes:
        config: of the run.
        asked: of `continue_` or `repeat`.
        again: what asks for it once more, before the store has it; None is a call of `asked`.
        changed: fields of the configuration that have to be others, to go on.
    """

    config: Config
    asked: MoreWork = field(default_factory=MoreWork)
    again: str | None = None
    changed: Mapping[str, object] = field(default_factory=dict)

    def after(self, reason: str) -> "NextCalls":
        """The calls behind what stopped a run: with twice the budget, where that was spent."""
        budget = self.config.budget
        if budget is None or not reason.startswith(SPENT):
            return self
        return replace(self, changed={"budget": str(budget.doubled)})

    def go_on(self, *, recorded: bool) -> str:
        """The call that goes on."""
        if self.again and not recorded:
            return self.again
        work = self.asked.once_recorded() if recorded else self.asked
        return self.more(replace(work, arguments={**work.arguments, **self.changed}))

    def more(self, work: MoreWork) -> str:
        """The call of a study, its store left out where it is found."""
        default = os.environ.get(STORE_VARIABLE) or DEFAULT_STORE
        given = self.config.store
        url = parse_url(given)
        shown = display(url) if secrets(url) else given
        place = None if given == default else shown
        return PYTHON.request(work.verb, work.study or self.config.study, work.arguments, place)


def carry_out(
    config: Config,
    calls: NextCalls,
    *,
    resume: bool,
    address: str | None,
    progress: bool,
    extra_request: ExtraTrialsRequest | None = None,
) -> RunOutcome:
    """Run a study to its end, or until it is interrupted or reaches its time limit.

    Args:
        config: checked.
        calls: how to go on, for what is said in the end.
        resume: whether a study that is there may be gone on with.
        address: of a Ray cluster; None takes RAY_ADDRESS, or starts a private Ray.
        progress: whether a bar and lines are shown.
        extra_request: work beside the planned trials.

    Raises:
        InputError: before anything is written.
        StoreError: the store failed during the work.
        RunFailed: whatever else the command line exits with 1 for.
        KeyboardInterrupt: a second interrupt in a notebook, or at a prompt of Python.
    """
    refuse_wrong_types(resume=(resume, FLAG), address=(address, ADDRESS), progress=(progress, FLAG))
    if threading.current_thread() is not threading.main_thread():
        raise InputError.of("run", "must be called in the main thread, which hears of Ctrl-C")
    teller: Teller = ProgressBar() if progress and sys.stderr is not None else Log()

    def advice(reason: str) -> Sequence[str]:
        return calls.after(reason).when_stopped(reason, recorded=last_words.recorded)

    last_words = ExitMessage(teller.say_last, advice)
    warn_of_surroundings(config, teller.say)
    try:
        outcome = run_study(
            config,
            resume=resume,
            watcher=teller,
            address=address or os.environ.get("RAY_ADDRESS") or None,
            extra_request=extra_request,
            exit_message=last_words,
            own_process=not _is_interactive(),
        )
    except StoreError as error:
        last_words.say(str(error))
        raise
    except CutShort as error:
        last_words.say(str(error))
        said = "\n".join(last_words.lines(str(error)))
        raise (KeyboardInterrupt if error.asked else RunFailed)(said) from None
    except MixspaceError:
        raise
    except KeyboardInterrupt as error:
        reason = str(error) or "interrupted"
        last_words.say(reason)
        return RunOutcome(config.study, ExitCode.INTERRUPTED, _progress(config), reason)
    except Exception as error:
        raise RunFailed("\n".join(last_words.lines(unexpected(error)))) from error
    finally:
        teller.close()
    if outcome.exit_code == ExitCode.DONE and outcome.reason:
        teller.say(outcome.reason)  # such as that the space has no other point
    if outcome.exit_code == ExitCode.FAILED:
        raise RunFailed(_failure(outcome, calls, last_words), outcome)
    if outcome.exit_code != ExitCode.DONE:
        last_words.say(str(outcome.reason))  # unless it was said when the stop was asked for
    return outcome


def _is_interactive() -> bool:
    """Whether a person has more in this process than the run: a notebook, IPython, a prompt."""
    return hasattr(sys, "ps1")


def _failure(outcome: RunOutcome, calls: NextCalls, last_words: ExitMessage) -> str:
    """What is said of a run that failed: it broke off, or all that it trained did."""
    if outcome.progress.ended < outcome.progress.planned or last_words.said:
        return "\n".join(last_words.lines(str(outcome.reason)))
    counts = outcome.progress.counts
    return calls.when_all_failed(
        str(outcome.reason),
        failed=counts[TrialState.FAILED] > 0,
        infeasible=counts[TrialState.INFEASIBLE] > 0,
    )


def _progress(config: Config) -> Progress:
    """How far a study is whose run was interrupted before its work began, or after it."""
    with suppress(MixspaceError):  # what cannot be read now says nothing of the interrupt
        found = find_study(config.store, config.study)
        if found is not None:
            with open_to_look_up(config.store) as store:
                return progress_of(store, found.id)
    return Progress(dict.fromkeys(TrialState, 0), config.trials, None, None)
