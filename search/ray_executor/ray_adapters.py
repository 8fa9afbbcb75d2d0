"""Thin adapters: Ray Tune's searcher, scheduler, callback and stopper, around a StudySession."""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from ray.tune import Callback, ProgressReporter, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.stop_request import StopRequest
from search.driver.study_progress import Progress
from search.ray_executor.worker_log import crash_in, write_death
from trainers import Cause, Failure, classify_death

_WORKER_STARTS = 60.0
"""Seconds within which a worker starts where there is a place for it."""


class _StaysHere:
    """Ray Tune copies and pickles what it is given, to restore it; a session has no copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {}


class SessionSearcher(_StaysHere, Searcher):
    """Hands the assignments of a session to Ray Tune.

    Args:
        session: decides what is tried.
        concurrent: at most that many trials at a time.
        stop: no new trial once a stop is requested.
    """

    def __init__(self, session: StudySession, concurrent: int, stop: StopRequest) -> None:
        super().__init__()
        self._session, self._concurrent, self._stop = session, concurrent, stop

    def suggest(self, trial_id: str) -> Any:
        """The next trial's configuration, None to wait, FINISHED when there is none."""
        if self._stop.requested():
            return self.FINISHED
        if self._session.live >= self._concurrent:
            return None
        assignment = self._session.next_assignment()
        if assignment is not None:
            return assignment.to_config()
        # A worker that is killed yet gives its trial back, and a store that is away comes back.
        return None if self._session.waits else self.FINISHED

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing to do: the callback tells the session."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the store has it all."""

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        """Nothing to save: the store has it all."""

    def restore(self, checkpoint_path: str) -> None:
        """Never restored from files."""


class SessionScheduler(_StaysHere, FIFOScheduler):
    """Stops the trials that the session's scheduler wants stopped.

    It also says which trial a worker takes that comes free: a new one. Left to itself Ray Tune
    takes the oldest, which has a worker of its own starting, and ends that one as not needed any
    more. Trials that are shorter than the start of a worker then keep all workers from starting
    but one. A trial that has waited longer than a worker takes to start goes first all the same:
    there may be no place for a worker of its own.
    """

    def __init__(self, session: StudySession) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._session = session
        self._new: list[Trial] = []
        self._waiting: deque[tuple[Trial, float]] = deque()

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """A trial that has no worker yet."""
        self._new.append(trial)
        self._waiting.append((trial, time.monotonic()))

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """The trial that takes the next free worker, or else has one started.

        Asked between any two events. What came since and is not chosen has a worker started too.
        """
        new, self._new = self._new, []
        while self._waiting and self._waiting[0][0].status != Trial.PENDING:
            self._waiting.popleft()
        if self._waiting and time.monotonic() - self._waiting[0][1] > _WORKER_STARTS:
            return self._waiting[0][0]
        return new[0] if new else None

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Record the epoch and pass the decision on."""
        decision = self._session.reported(number_of(trial), Report.from_result(result))
        return str(self.STOP if decision.stop else self.CONTINUE)


class NoReporter(ProgressReporter):
    """Shows nothing; Ray Tune's own of a notebook draws an empty place there."""

    def should_report(self, trials: list[Trial], done: bool = False) -> bool:
        return False

    def report(self, trials: list[Trial], done: bool, *sys_info: str) -> None:
        """Nothing: the session tells its progress."""


class SessionCallback(_StaysHere, Callback):
    """Tells the session what becomes of its trials, and the progress line to move on.

    What asks for a stop may end the workers too: after that, none has died of its trial.

    Args:
        session: is told.
        show: told the progress, several times a second.
        stop: may have been asked for.
        worker_logs: folder with what the workers of this machine print, where known.
    """

    def __init__(
        self,
        session: StudySession,
        show: Callable[[Progress], None],
        stop: StopRequest,
        worker_logs: Path | None,
    ) -> None:
        self._session, self._show = session, show
        self._stop, self._worker_logs = stop, worker_logs

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """A moment in which to show progress, and to end workers that hang."""
        hung = self._session.look_after()
        for trial in trials if hung else ():
            if trial.status == Trial.RUNNING and number_of(trial) in hung:
                _kill_worker(trial)
        self._show(self._session.progress())

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """A worker begins."""
        self._session.started(number_of(trial))

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Trial],
        trial: Trial,
        result: dict[str, Any],
        **info: Any,
    ) -> None:
        """Ray does not ask the scheduler about a last result, so it is recorded here."""
        self._session.reported(number_of(trial), Report.from_result(result))

    def on_trial_complete(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """The trial ended by itself, or was stopped by the scheduler."""
        self._session.ended(number_of(trial), Report.from_result(trial.last_result or {}))

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        """The worker died."""
        number = number_of(trial)
        if self._stop.requested():
            stopped = Failure(Cause.REQUEST, self._stop.reason)
            self._session.ended(number, Report(failure=stopped))
            return
        text, log = _error_text(trial), self._session.log_of(number)
        crash = "" if log is None else crash_in(log)
        if log is not None:
            write_death(log, text, self._worker_logs)
        self._session.crashed(number, classify_death(text, crash))


class RequestStopper(_StaysHere, Stopper):
    """Ends the experiment once a stop is requested."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No single trial is stopped this way."""
        return False

    def stop_all(self) -> bool:
        """Whether to end everything."""
        return self._stop.requested()


def _error_text(trial: Trial) -> str:
    """What Ray wrote down of the trial's error; its own reader looks where it is copied later."""
    try:
        path = trial.error_file
        return Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
    except OSError:
        return ""


def number_of(trial: Trial) -> int:
    """The number of the trial in its study."""
    return int(trial.config["number"])


def _kill_worker(trial: Trial) -> None:
    """End a worker that does not answer; Ray Tune then tells of its death."""
    import ray

    if trial.temporary_state.ray_actor is not None:
        ray.kill(trial.temporary_state.ray_actor)
