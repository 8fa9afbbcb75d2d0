"""One run of a study, without Ray: hands out trials, takes reports, and keeps the store right.

The driver is the only writer to the store. Ray's callbacks call this object; it decides nothing
that could not be rebuilt from the store.
"""

import functools
import logging
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from search.runner.ancestry import Ancestry
from search.runner.assignment import Assignment, Report
from search.runner.checkpoints import Checkpoints
from search.runner.live_trial import LiveTrial
from search.runner.new_trials import Known, NewTrials
from search.runner.stand import Stand, Tally
from search.runner.telling import Telling
from search.schedulers import GO_ON, Verdict
from search.store import (
    EpochRecord,
    RunRecord,
    Store,
    StoreError,
    StudyRecord,
    TrialRecord,
    TrialState,
)
from space import Architecture
from trainers import Protocol

_LOG = logging.getLogger(__name__)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _remembers_failure(
    method: Callable[Concatenate["StudySession", _Arguments], _Result],
) -> Callable[Concatenate["StudySession", _Arguments], _Result]:
    """Keep a StoreError for the driver: Ray Tune turns what a callback raises into mere text."""

    @functools.wraps(method)
    def call(
        self: "StudySession", /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        try:
            return method(self, *args, **kwargs)
        except StoreError as error:
            self.failure = error
            raise

    return call


class StudySession:
    """What one driver does for a study.

    Args:
        store, study, run: where everything is written, and as whom.
        new_trials: makes the trials that the study does not have yet.
        telling: has told the study's history to searcher and scheduler already.
        protocol, data: what every worker is told.
        known: every trial of the study so far.
        claimed: the numbers of those that this run goes on with.
        retries: how often a trial is taken up again after its worker was killed.
        checkpoints: those of this study.
        ancestry: where trials find the weights that they start from.
    """

    def __init__(
        self,
        *,
        store: Store,
        study: StudyRecord,
        run: RunRecord,
        new_trials: NewTrials,
        telling: Telling,
        protocol: Protocol,
        data: Mapping[str, Any],
        known: Iterable[Known],
        claimed: Iterable[int],
        retries: int,
        checkpoints: Checkpoints,
        ancestry: Ancestry,
    ) -> None:
        self._store, self.study, self._run = store, study, run
        self._new_trials, self._telling = new_trials, telling
        self._protocol, self._data = protocol, data
        self._retries, self._checkpoints, self._ancestry = retries, checkpoints, ancestry
        self._live: dict[int, LiveTrial] = {}
        self._tally = Tally()
        self._killed: Counter[int] = Counter()
        self.failure: StoreError | None = None
        by_number = {}
        for item in known:
            by_number[item.trial.number] = item
            new_trials.know(item.trial)
            self._tally.set(item.trial.number, item.trial.state)
            self._tally.reached(item.trial.best_accuracy, item.architecture)
        self._claimed = deque(by_number[number] for number in sorted(claimed))

    @property
    def exhausted(self) -> str | None:
        """Why no point is left; None while there are some."""
        return self._new_trials.exhausted

    @property
    def live(self) -> int:
        """Trials that are handed out and have not ended."""
        return len(self._live)

    def stand(self) -> Stand:
        """How far the study is, from memory."""
        return self._tally.stand(self._new_trials.planned, self._new_trials.repeats)

    @_remembers_failure
    def next_assignment(self) -> Assignment | None:
        """The next trial to run: an interrupted one, one that was asked for, or the searcher's.

        None when the planned number is handed out or no point is left. A later call may give one
        again, when a worker was killed in the meantime.
        """
        while self._claimed:
            item = self._claimed.popleft()
            self._take_up(item)
            # While this study lay still, another may have trained the same.
            if not self._ended_by_reuse(item) and not self._ended_by_verdict(item.trial.number):
                return self._assignment(item)
        while (new := self._new_trials.next(self._noted)) is not None:
            self._take_up(new)
            if not self._ended_by_reuse(new):
                return self._assignment(new)
        return None

    @_remembers_failure
    def started(self, number: int) -> None:
        """A worker has taken the trial up."""
        live = self._live[number]
        if self._store.start_trial(live.trial.id, self._run.id):
            self._tally.set(number, TrialState.RUNNING)

    @_remembers_failure
    def reported(self, number: int, report: Report) -> Verdict:
        """Record what is new in a report, and say whether the trial shall stop."""
        live = self._live.get(number)
        if live is None:
            return GO_ON
        if report.inherited is False and live.trial.parent_trial_id is not None:
            self._disinherit(live)
        if report.epochs and not live.epochs:
            self._forget_beyond(live, int(report.epochs[-1]["epoch"]))
        for figures in report.epochs:
            epoch = int(figures["epoch"])
            if epoch not in live.epochs:
                self._record(live, epoch, figures)
        return live.verdict

    @_remembers_failure
    def ended(self, number: int, report: Report) -> None:
        """The worker is done with the trial, or was told to stop it."""
        live = self._live.get(number)
        if live is None:
            return
        if report.state == "preempted":
            self._preempt(number, report.reason or "")
        elif report.state is not None:
            self._finish(number, TrialState(report.state), report.reason)
        elif live.verdict.stop:
            self._finish(number, TrialState.PRUNED, live.verdict.reason)

    @_remembers_failure
    def crashed(self, number: int, state: TrialState, reason: str) -> None:
        """The worker is gone. The trial goes on from its checkpoint, as often as is allowed."""
        live = self._live.get(number)
        if live is None:
            return
        if state != TrialState.FAILED or self._killed[number] >= self._retries:
            self._finish(number, state, reason)
            return
        self._killed[number] += 1
        _LOG.warning("trial %d: %s; it goes on in another worker", number, reason)
        self._preempt(number, reason)
        epochs = frozenset(live.recorded | live.epochs)
        self._claimed.append(Known(live.trial, live.architecture, epochs))

    def _noted(self, trial: TrialRecord, architecture: Architecture) -> None:
        self._tally.set(trial.number, trial.state)
        if not trial.repeat:
            self._telling.created(trial.number, architecture)

    def _ended_by_reuse(self, item: Known) -> bool:
        """Whether another study has trained it under this protocol: then its epochs are taken."""
        live = self._live[item.trial.number]
        reused = self._new_trials.take_over(item.trial, lambda: self._forget(live, 0))
        if reused is None:
            return False
        live.trial = reused
        for record in self._store.epochs(reused.id):
            figures = {name: getattr(record, name) for name in _FIGURES}
            self._telling.epoch(reused.number, record.epoch, figures)
            live.recorded.add(record.epoch)
        self._tally.reached(reused.best_accuracy, live.architecture)
        if reused.state == TrialState.COMPLETE:
            self._tally.took_over()
            self._leave(reused.number, TrialState.COMPLETE)
            return True
        return self._ended_by_verdict(reused.number)

    def _ended_by_verdict(self, number: int) -> bool:
        """Prune a trial that was sentenced before it could be told; whether it was."""
        live = self._live[number]
        live.verdict = self._telling.verdict(number)
        if live.verdict.stop:
            self._finish(number, TrialState.PRUNED, live.verdict.reason)
        return live.verdict.stop

    def _take_up(self, item: Known) -> None:
        self._live[item.trial.number] = LiveTrial(item.trial, item.architecture, set(item.epochs))
        self._tally.set(item.trial.number, TrialState.WAITING)

    def _assignment(self, item: Known) -> Assignment:
        live = self._live[item.trial.number]
        checkpoint = self._checkpoints.file(live.trial)
        protocol = self._protocol.to_dict()
        parent = self._ancestry.weights(live.trial, live.architecture)
        if live.trial.parent_trial_id is not None and parent is None and not checkpoint.exists():
            self._disinherit(live)  # its weights are gone, and with them the inheritance
        return Assignment(live.trial, live.architecture, protocol, self._data, checkpoint, parent)

    def _record(self, live: LiveTrial, epoch: int, figures: Mapping[str, Any]) -> None:
        record = EpochRecord(epoch, **{name: figures.get(name) for name in _FIGURES})
        self._store.record_epoch(live.trial.id, record, run_id=self._run.id)
        live.epochs.add(epoch)
        is_new = epoch not in live.recorded
        live.recorded.add(epoch)
        accuracy = record.validation_accuracy
        if accuracy is not None and math.isfinite(accuracy):
            self._tally.reached(accuracy, live.architecture)
        if is_new:
            verdict = self._telling.epoch(live.trial.number, epoch, figures)
            live.verdict = live.verdict if live.verdict.stop else verdict

    def _forget_beyond(self, live: LiveTrial, last: int) -> None:
        """Drop epochs of an earlier attempt that the worker does not know: its file was lost."""
        if max(live.recorded, default=0) > last:
            self._forget(live, last)

    def _forget(self, live: LiveTrial, last: int) -> None:
        self._store.forget_epochs(live.trial.id, after=last)
        live.recorded = {epoch for epoch in live.recorded if epoch <= last}
        self._telling.forgotten(live.trial.number, last)

    def _disinherit(self, live: LiveTrial) -> None:
        """The trial begins from scratch after all."""
        self._store.disinherit_trial(live.trial.id, run_id=self._run.id)
        live.trial = self._store.trial(live.trial.id)

    def _preempt(self, number: int, reason: str) -> None:
        live = self._live.pop(number)
        self._store.preempt_trial(live.trial.id, reason, run_id=self._run.id)
        self._tally.set(number, TrialState.PREEMPTED)

    def _finish(self, number: int, state: TrialState, reason: str | None) -> None:
        live = self._live[number]
        self._store.finish_trial(live.trial.id, state, reason, run_id=self._run.id)
        self._leave(number, state)
        if state in (TrialState.FAILED, TrialState.INFEASIBLE):
            self._checkpoints.file(live.trial).unlink(missing_ok=True)  # nothing goes on from it

    def _leave(self, number: int, state: TrialState) -> None:
        live = self._live.pop(number)
        self._tally.set(number, state)
        self._telling.ended(number, state)
        if self._ancestry.inherits:
            self._ancestry.add(self._store.trial(live.trial.id), live.architecture)


_FIGURES = ("train_loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds")
