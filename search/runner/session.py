"""One run of a study, without Ray: hands out trials, takes reports, and keeps the store right.

The driver is the only writer to the store. Ray's callbacks call this object; it decides nothing
that could not be rebuilt from the store.
"""

import functools
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from search.checkpoints import Checkpoints
from search.figures import MEASURED
from search.runner.ancestry import Ancestry
from search.runner.assignment import Assignment, Report
from search.runner.interrupt import StopKind, StopRequest
from search.runner.journal import Journal
from search.runner.limits import FirstFailures, Limits, Retries
from search.runner.live_trial import LiveTrial
from search.runner.new_trials import Known, NewTrials
from search.runner.replaying import is_prunable
from search.runner.reported import FIGURES
from search.runner.silence import Silence
from search.runner.stand import Stand, Tally
from search.schedulers import CONTINUE, Decision
from search.store import (
    EpochRecord,
    Store,
    StoreAway,
    StoreError,
    StudyRecord,
    TrialRecord,
    TrialState,
)
from search.study import Study
from space import Architecture
from space.wording import duration
from trainers import Cause, Failure, Protocol

_LOG = logging.getLogger(__name__)
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _remembers_failure(
    method: Callable[Concatenate["StudySession", _Arguments], _Result],
) -> Callable[Concatenate["StudySession", _Arguments], _Result]:
    """Keep an error for the driver: Ray Tune turns what a callback raises into mere text."""

    @functools.wraps(method)
    def call(
        self: "StudySession", /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> _Result:
        try:
            return method(self, *args, **kwargs)
        except (StoreError, OSError) as error:
            self.failure = error
            raise

    return call


class StudySession:
    """What one driver does for a study.

    Args:
        store, study: where everything is.
        journal: takes what becomes of trials to the store.
        new_trials: makes the trials that the study does not have yet.
        engine: has the study's history already; asks and judges.
        protocol, data, inspected: what every worker is told.
        known: every trial of the study so far.
        claimed: the numbers of those that this run goes on with.
        wanted: the measured figures without which no trial is complete.
        limits: how much goes wrong before the run gives up.
        checkpoints: those of this study.
        ancestry: where trials find the weights that they start from.
        stop: asked for where going on makes no sense.
        say: tells a person what is lost.
    """

    def __init__(
        self,
        *,
        store: Store,
        study: StudyRecord,
        journal: Journal,
        new_trials: NewTrials,
        engine: Study[Architecture],
        protocol: Protocol,
        data: Mapping[str, Any],
        inspected: Mapping[str, Any] | None = None,
        known: Iterable[Known],
        claimed: Iterable[int],
        wanted: Iterable[str],
        limits: Limits,
        checkpoints: Checkpoints,
        ancestry: Ancestry,
        stop: StopRequest,
        say: Callable[[str], None],
    ) -> None:
        self._store, self.study, self.journal = store, study, journal
        self._new_trials, self._engine = new_trials, engine
        self._protocol, self._data, self._inspected = protocol, data, inspected
        self._wanted, self._limits = tuple(wanted), limits
        self._checkpoints, self._ancestry = checkpoints, ancestry
        self._stop, self._say = stop, say
        self._live: dict[int, LiveTrial] = {}
        self._unsettled: deque[Known] = deque()
        self._tally = Tally(protocol.judged_by)
        self._retries = Retries(limits.retries)
        self._silence = Silence(self._live, limits.trial_seconds, say)
        self._first_failures = FirstFailures(limits.first_failures)
        self.failure: StoreError | OSError | None = None
        by_number = {}
        for item in known:
            by_number[item.trial.number] = item
            new_trials.know(item.trial)
            self._tally.set(item.trial.number, item.trial.state)
            self._tally_result(item.trial, item.architecture)
        self._claimed = deque(by_number[number] for number in sorted(claimed))

    @property
    def exhausted(self) -> str | None:
        """Why no point is left; None while there are some."""
        return self._new_trials.exhausted

    @property
    def live(self) -> int:
        """Trials that are handed out and have not ended."""
        return len(self._live)

    @property
    def waits(self) -> bool:
        """Whether there may be more to hand out, once a worker or the store comes back."""
        return bool(self._live or self._unsettled or self.journal.away)

    def stand(self) -> Stand:
        """How far the study is, from memory."""
        return self._tally.stand(self._new_trials.planned, self._new_trials.repeats)

    @_remembers_failure
    def next_assignment(self) -> Assignment | None:
        """The next trial to run: an interrupted one, one that was asked for, or the searcher's.

        None when the planned number is handed out, no point is left, or the store is away. A later
        call may give one again, when a worker was killed or the store came back in the meantime.
        """
        if self.journal.flush():
            try:
                return self._next_assignment()
            except StoreAway as error:
                self.journal.note_away(error)
        # Without a trial at work Ray Tune asks for the next one for minutes, and for nothing else.
        self._stop_where_away_too_long()
        return None

    def _next_assignment(self) -> Assignment | None:
        while self._unsettled:
            if (given := self._hand_out(self._unsettled.popleft(), again=True)) is not None:
                return given
        while self._claimed:
            if (given := self._hand_out(self._claimed.popleft())) is not None:
                return given
        while (new := self._new_trials.next(self._noted)) is not None:
            if (given := self._hand_out(new)) is not None:
                return given
        return None

    @_remembers_failure
    def started(self, number: int) -> None:
        """A worker has taken the trial up."""
        live = self._live[number]
        self.journal.start(live.trial.id, live.begin())
        self._tally.set(number, TrialState.RUNNING)

    @_remembers_failure
    def reported(self, number: int, report: Report) -> Decision:
        """Record what is new in a report, and say whether the trial shall stop."""
        live = self._live.get(number)
        if live is None:
            return CONTINUE
        if report.inherited is False and live.trial.parent_trial_id is not None:
            self._disinherit(live)
        if report.epochs and not live.curve:
            self._forget_beyond(live, int(report.epochs[-1]["epoch"]))
        for figures in report.epochs:
            if int(figures["epoch"]) not in live.curve:
                self._record(live, figures)
        return self._engine.decision(number)

    @_remembers_failure
    def ended(self, number: int, report: Report) -> None:
        """The worker is done with the trial, or was told to stop it."""
        live = self._live.get(number)
        if live is None:
            return
        if report.failure is not None:
            self._broke_off(live, report.failure)
        elif report.complete:
            self._completed(live)
        else:
            self._ended_by_decision(number)

    @_remembers_failure
    def crashed(self, number: int, failure: Failure) -> None:
        """The worker is gone. The trial goes on from its checkpoint, as often as is allowed."""
        live = self._live.get(number)
        if live is not None:
            self._broke_off(live, self._hang() if live.hung else failure)

    @_remembers_failure
    def look_after(self) -> list[int]:
        """To be called all the time: writes what waits; the trials whose workers are to be ended.

        A stop is requested where the store has been away for too long.
        """
        self.journal.flush()
        self._stop_where_away_too_long()
        silent = self._silence.look()
        for number in silent:
            self._live[number].hung = True
        return silent

    def _stop_where_away_too_long(self) -> None:
        if self.journal.away_for() > self._limits.store_seconds:
            patience = duration(self._limits.store_seconds)
            reason = f"the store was away for more than {patience} ({self.journal.error})"
            self._stop.request(StopKind.STORE, reason)

    def log_of(self, number: int) -> Path | None:
        """The file that tells how a trial that is handed out broke off."""
        live = self._live.get(number)
        return None if live is None else self._checkpoints.log(live.trial)

    def _noted(self, trial: TrialRecord, architecture: Architecture) -> None:
        self._tally.set(trial.number, trial.state)
        if not trial.repeat:
            prunable = is_prunable(trial.origin)
            self._engine.add(architecture, trial.number, prunable=prunable)

    # --- handing out

    def _hand_out(self, item: Known, *, again: bool = False) -> Assignment | None:
        """A trial for a worker; None when it has ended without one.

        Args:
            again: whether the store went away while this was tried before.
        """
        try:
            now = replace(item, trial=self._store.trials.get(item.trial.id)) if again else item
            return self._settled(now)
        except StoreAway:
            self._unsettled.append(item)
            raise

    def _settled(self, item: Known) -> Assignment | None:
        number = item.trial.number
        self._live[number] = LiveTrial(item.trial, item.architecture, set(item.epochs))
        self._tally.set(number, TrialState.WAITING)
        try:
            # While this study lay still, another may have trained the same.
            ended = self._ended_by_reuse(item) or self._ended_by_decision(number)
        except StoreAway:
            del self._live[number]
            raise
        return None if ended else self._assignment(self._live[number])

    def _ended_by_reuse(self, item: Known) -> bool:
        """Whether another study has trained it under this protocol: then its epochs are taken."""
        live = self._live[item.trial.number]
        reused: TrialRecord | None = item.trial
        if item.trial.source_trial_id is None or item.epochs:
            reused = self._new_trials.take_over(item.trial, lambda: self._forget(live, 0))
        if reused is None:
            return False
        live.trial = reused
        for record in self._store.epochs.of_trial(reused.id):
            figures = {name: getattr(record, name) for name in FIGURES}
            self._tell_epoch(reused, record.epoch, figures)
            live.recorded.add(record.epoch)
        if reused.state == TrialState.COMPLETE:
            self._tally.took_over()
            self._leave(live, reused)
            return True
        return False

    def _ended_by_decision(self, number: int) -> bool:
        """Prune a trial that was sentenced before it could be told; whether it was."""
        decision = self._engine.decision(number)
        if decision.stop:
            self._finish(self._live[number], TrialState.PRUNED, decision.reason)
        return decision.stop

    def _assignment(self, live: LiveTrial) -> Assignment:
        checkpoint = self._checkpoints.fetch(live.trial)
        self._tell_of_loss(live)
        parent = self._ancestry.weights(live.trial, live.architecture)
        if live.trial.parent_trial_id is not None and parent is None and not checkpoint.exists():
            self._disinherit(live)  # its weights are gone, and with them the inheritance
        return Assignment(
            live.trial,
            live.architecture,
            self._protocol.to_dict(),
            self._data,
            checkpoint,
            self._checkpoints.log(live.trial),
            parent,
            self._inspected,
        )

    def _tell_of_loss(self, live: LiveTrial) -> None:
        """Say which epochs are trained again, before they are."""
        done, held = max(live.recorded, default=0), self._checkpoints.epochs_of(live.trial)
        if held is None or held >= done:
            return
        live.told_of_loss = True
        what = "is gone" if not held else f"holds {held} of {done} epochs"
        place = self._checkpoints.file(live.trial)
        self._say(f"Trial {live.trial.number}: its checkpoint {place} {what}; {_again(held, done)}")

    # --- what is reported

    def _record(self, live: LiveTrial, figures: Mapping[str, Any]) -> None:
        epoch = int(figures["epoch"])
        values = {name: _finite(figures.get(name)) for name in FIGURES}
        record = EpochRecord(epoch, **values)
        self.journal.epoch(live.trial.id, record)
        live.report(record)
        is_new = epoch not in live.recorded
        live.recorded.add(epoch)
        if is_new:
            self._tell_epoch(live.trial, epoch, values)

    def _tell_epoch(
        self, trial: TrialRecord, epoch: int, figures: Mapping[str, float | None]
    ) -> None:
        """Let the searchers and the scheduler hear it; a repeat trains a known point."""
        if not trial.repeat:
            measured = {name: figures[name] for name in MEASURED}
            self._engine.report(trial.number, epoch, measured)

    def _forget_beyond(self, live: LiveTrial, last: int) -> None:
        """Drop epochs of an earlier attempt that the worker does not know: its file was lost."""
        done = max(live.recorded, default=0)
        if done > last:
            if not live.told_of_loss:
                why = "its checkpoint was damaged or lost"
                self._say(f"Trial {live.trial.number}: {why}; {_again(last, done)}")
            self._forget(live, last)

    def _forget(self, live: LiveTrial, last: int) -> None:
        self.journal.forget(live.trial.id, last)
        live.recorded = {epoch for epoch in live.recorded if epoch <= last}
        if not live.trial.repeat:
            self._engine.forget(live.trial.number, last)

    def _disinherit(self, live: LiveTrial) -> None:
        """The trial begins from scratch after all."""
        self.journal.disinherit(live.trial.id)
        live.trial = replace(
            live.trial, parent_trial_id=None, inherited_along=None, ancestry_seconds=0.0
        )

    # --- how it ends

    def _completed(self, live: LiveTrial) -> None:
        rule = self._protocol.judged_by
        lacking = live.lacks(self._wanted or MEASURED, rule)
        if not lacking or (not self._wanted and len(lacking) < len(MEASURED)):
            self._finish(live, TrialState.COMPLETE, None)
            return
        nowhere = live.lacks(lacking, "best") == lacking
        where = f"in {len(live.curve)} epochs" if nowhere else "in its last epoch"
        epochs = where if live.curve else "and no epoch"
        reason = f"it ended without a finite {' or '.join(lacking)} {epochs}"
        self._broke_off(live, Failure(Cause.CODE, reason))

    def _hang(self) -> Failure:
        limit = duration(self._limits.trial_seconds or 0.0)
        return Failure(Cause.CODE, f"it hung: no epoch within {limit} (trial_time_limit)")

    def _broke_off(self, live: LiveTrial, failure: Failure) -> None:
        if self._stop.kind is not None and failure.cause != Cause.ARCHITECTURE:
            # What asks for a stop may end workers, and what they have started, too.
            failure = Failure(Cause.REQUEST, self._stop.reason)
        if self._retries.takes_up(live.trial.number, failure, hung=live.hung):
            number, reason = live.trial.number, failure.reason
            _LOG.warning("trial %d: %s; it goes on in another worker", number, reason)
            self._preempt(live, failure.reason)
            epochs = frozenset(live.recorded | live.curve.keys())
            self._claimed.append(Known(live.trial, live.architecture, epochs))
        elif failure.cause.ends_trial:
            self._finish(live, TrialState(failure.state), failure.reason)
        else:
            self._preempt(live, failure.reason)
            if failure.cause.stops_run:
                reason = f"trial {live.trial.number} met a fault of the {failure.cause}"
                self._stop.request(StopKind.FAULT, f"{reason}: {failure.sentence}")

    def _preempt(self, live: LiveTrial, reason: str) -> None:
        del self._live[live.trial.number]
        self.journal.preempt(live.trial.id, reason)
        self._tally.set(live.trial.number, TrialState.PREEMPTED)

    def _finish(self, live: LiveTrial, state: TrialState, reason: str | None) -> None:
        self.journal.finish(live.trial.id, state, reason)
        self._leave(live, live.ended(state, self._protocol.judged_by))
        why = self._first_failures.ended(state, reason)
        if why is not None:
            option = "--failed" if state == TrialState.FAILED else "--infeasible"
            again = f"once it is mended, `continue {self.study.name} {option}` trains them again"
            self._stop.request(StopKind.FAULT, f"{why}; {again}")

    def _tally_result(self, trial: TrialRecord, architecture: Architecture) -> None:
        """What was pruned, or is not through yet, does not compare."""
        if trial.state == TrialState.COMPLETE:
            self._tally.reached(trial.accuracy, architecture)

    def _leave(self, live: LiveTrial, record: TrialRecord) -> None:
        del self._live[record.number]
        self._tally.set(record.number, record.state)
        self._tally_result(record, live.architecture)
        if not record.repeat:
            self._engine.tell(record.number, record.state)
        self._ancestry.add(record, live.architecture)


def _again(held: int, done: int) -> str:
    lost = f"epoch {done} is" if done == held + 1 else f"epochs {held + 1} to {done} are"
    return f"{lost} trained again"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
