"""One run of a study, without Ray: hands out trials, takes reports, and keeps the store right.

The driver is the only writer to the store. Ray's callbacks call this object; it decides nothing
that could not be rebuilt from the store.
"""

import functools
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from search.config import Config
from search.driver.assignment import Assignment, Report
from search.driver.attempt import Attempt, HangDetector
from search.driver.device_time import DeviceTime
from search.driver.failure_policy import FirstFailures, Retries
from search.driver.journal import Journal
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.lost_epochs import forget_lost, tell_of_loss
from search.driver.new_trials import NewTrials
from search.driver.replay import add_record, report_record
from search.driver.stop_request import StopKind, StopRequest
from search.driver.study_progress import Progress
from search.driver.throughput_promise import ThroughputPromise
from search.driver.tracking import Tracking
from search.metrics import MEASURED_METRICS
from search.schedulers import CONTINUE, Decision
from search.store import StoreAway, StoreError, TrialRecord, TrialState
from search.study import Study
from space import Architecture
from space.surface import surface
from space.wording import duration
from trainers import Cause, Failure

_LOG = logging.getLogger(__name__)
_Method = TypeVar("_Method", bound=Callable[..., Any])


def _remembers_failure(method: _Method) -> _Method:
    """Keep an error for the driver: Ray Tune turns what a callback raises into mere text."""

    @functools.wraps(method)
    def call(self: "StudySession", *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except (StoreError, OSError) as error:
            self.failure = error
            raise

    return cast(_Method, call)


class StudySession:
    """What one driver does for a study.

    Args:
        config: how much goes wrong before the run gives up, and what is wanted.
        study: has the study's history already; asks, judges, and writes to the journal.
        journal: takes what becomes of trials to the store.
        tracking: shows it to trackers.
        new_trials: makes the trials that the study does not have yet; where store, checkpoints and
            the weights that trials start from are, it says for all.
        settings: what every worker is told, as plain values.
        trials: every trial of the study so far, as the store has it, by rising numbers.
        claimed: the ids of those that this run goes on with.
        stop: asked for where going on makes no sense.
        say: tells a person what is lost.
        latency: measures networks before they are trained; None where nothing is wanted of it.
    """

    def __init__(
        self,
        *,
        config: Config,
        study: Study[Architecture],
        journal: Journal,
        tracking: Tracking,
        new_trials: NewTrials,
        settings: Mapping[str, Any],
        trials: Iterable[TrialRecord],
        claimed: Collection[int],
        stop: StopRequest,
        say: Callable[[str], None],
        latency: LatencyConfirmation | None = None,
    ) -> None:
        self._latency = latency
        self._study, self.journal, self.tracking = study, journal, tracking
        self._settings = settings
        self._new_trials, self._store, self.record = new_trials, new_trials.store, new_trials.study
        self._config = config
        self._wanted = [name for name in MEASURED_METRICS if name in config.parsed_objectives.names]
        self._checkpoints, self._lineage = new_trials.checkpoints, new_trials.lineage
        self._stop, self._say = stop, say
        self._live: dict[int, Attempt] = {}
        self._unsettled: deque[TrialRecord] = deque()
        self._best: tuple[float, str] | None = None
        self._reused = 0
        self._retries = Retries(config.retries)
        self._hang_detector = HangDetector(self._live, config.trial_time_limit, say)
        self._first_failures = FirstFailures(config.stop_after_same_failures)
        trials = list(trials)
        self._device_time = DeviceTime(config, trials, stop)
        self.failure: StoreError | OSError | None = None
        self._promise = ThroughputPromise(config.data.name, say)
        self._claimed: deque[TrialRecord] = deque()
        for row in trials:
            new_trials.know(row)
            journal.know(row)
            self._compare(row)
            if row.id in claimed:
                self._claimed.append(row)

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

    def progress(self) -> Progress:
        """How far the study is, from memory."""
        best, name = self._best or (None, None)
        new, optimistic = self._new_trials, self._study.judged_by == "best"
        counts = self._study.counts()
        spent = self._device_time.words
        return Progress(
            counts, new.planned, best, name, new.repeats, self._reused, optimistic, spent
        )

    @_remembers_failure
    def next_assignment(self) -> Assignment | None:
        """The next trial to run: an interrupted one, one that was asked for, or the searcher's.

        None when the planned number is handed out, no point is left, the budget is spent, or the
        store is away. A later call may give one again, when a worker was killed or the store came
        back in the meantime.
        """
        if self._device_time.is_spent:
            return None
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
        self._live[number].give_sign()
        self._study.start(number)

    @_remembers_failure
    def reported(self, number: int, report: Report) -> Decision:
        """Record what is new in a report, and say whether the trial shall stop."""
        live = self._live.get(number)
        if live is None:
            return CONTINUE
        self._promise.told(number, report.throughput)
        if report.inherited is False and live.record.parent_trial_id is not None:
            self._disinherit(live)
        if report.epochs:
            if not live.heard:
                last = int(report.epochs[-1]["epoch"])
                forget_lost(live, last, self._study, self._say)
            live.heard = True
            live.give_sign()
        for metrics in report.epochs:
            is_new = int(metrics["epoch"]) > live.epochs_done  # a first report repeats earlier ones
            if is_new:
                self._promise.met_by(number, metrics)
            self._study.report(number, int(metrics["epoch"]), metrics)
            self._device_time.add(float(metrics.get("seconds") or 0.0) if is_new else 0.0)
        return live.trial.decision

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
            self._ended_by_decision(live)

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
        silent = self._hang_detector.look()
        for number in silent:
            self._live[number].hung = True
        return silent

    def _stop_where_away_too_long(self) -> None:
        if self.journal.away_for() > self._config.store_patience:
            patience = duration(self._config.store_patience)
            reason = f"the store was away for more than {patience} ({self.journal.error})"
            self._stop.request(StopKind.STORE, reason)

    def measure_no_more(self) -> None:
        """End the process that measures latency, if there is one."""
        if self._latency is not None:
            self._latency.close()

    def log_of(self, number: int) -> Path | None:
        """The file that tells how a trial that is handed out broke off."""
        live = self._live.get(number)
        return None if live is None else self._checkpoints.log(live.record)

    def _noted(self, row: TrialRecord, architecture: Architecture) -> None:
        # Before the study has the trial: should the store be away, it is met again as a whole.
        epochs = self._store.epochs.of_trial(row.id) if row.state.is_terminal else []
        self.journal.know(row)
        add_record(self._study, row, architecture)
        if row.state.is_terminal:  # another process has trained it to its end meanwhile
            with self._study.written():
                for epoch in epochs:
                    report_record(self._study, row.number, epoch)
                self._study.tell(row.number, row.state, row.reason)
            self._compare(row)

    def _hear_epochs(self, row: TrialRecord) -> None:
        for epoch in self._store.epochs.of_trial(row.id):
            report_record(self._study, row.number, epoch)

    # --- handing out

    def _hand_out(self, row: TrialRecord, *, again: bool = False) -> Assignment | None:
        """A trial for a worker; None when it has ended without one.

        Args:
            again: whether the store went away while this was tried before.
        """
        number = row.number
        try:
            now = self._store.trials.get(row.id) if again else row
            live = Attempt(now, self._study.trials[number])
            self._live[number] = live
            if live.trial.state == TrialState.PREEMPTED:
                self._study.resume(number)
            # While this study lay still, another may have trained the same.
            ended = self._ended_by_reuse(live) or self._ended_by_latency(live)
            ended = ended or self._ended_by_decision(live)
        except StoreAway:
            self._live.pop(number, None)
            self._unsettled.append(row)
            raise
        return None if ended else self._assignment(live)

    def _ended_by_reuse(self, live: Attempt) -> bool:
        """Whether another study has trained it under this protocol: then its epochs are taken."""
        reused: TrialRecord | None = live.record
        if live.record.source_trial_id is None or live.trial.curve:
            forget = functools.partial(self._study.forget, live.record.number, 0)
            reused = self._new_trials.reuse(live.record, forget)
        if reused is None:
            return False
        live.record = reused
        is_complete = reused.state == TrialState.COMPLETE
        with self._study.written():
            self._hear_epochs(reused)
            if is_complete:
                self._reused += 1
                self._leave(live, reused)
        return is_complete

    def _ended_by_latency(self, live: Attempt) -> bool:
        """Whether its network is measured, before its first epoch, and too slow.

        It is measured while nothing else is handed out: what trains beside it would be measured,
        too.
        """
        if self._latency is None or live.record.repeat or live.trial.curve:
            return False
        alone = len(self._live) == 1
        refusal = self._latency.refusal(live.trial.point, may_measure=alone)
        if refusal is None:
            return False
        self._leave(live, live.ended(TrialState.INFEASIBLE, self._study.judged_by), refusal)
        return True

    def _ended_by_decision(self, live: Attempt) -> bool:
        """Prune a trial that was sentenced before it could be told; whether it was."""
        decision = live.trial.decision
        if decision.stop:
            self._finish(live, TrialState.PRUNED, decision.reason)
        return decision.stop

    def _assignment(self, live: Attempt) -> Assignment:
        checkpoint = self._checkpoints.fetch(live.record)
        tell_of_loss(live, self._checkpoints, self._say)
        architecture = live.trial.point
        parent = self._lineage.parent(live.record)
        if live.record.parent_trial_id is not None and parent is None and not checkpoint.exists():
            self._disinherit(live)  # its weights are gone, and with them the inheritance
        log = self._checkpoints.log(live.record)
        return Assignment(
            trial=live.record,
            architecture=architecture,
            settings=self._settings,
            checkpoint=checkpoint,
            log=log,
            parent=parent,
            measures=self._promise.take_measuring(),
            source=self._lineage.source(architecture),
        )

    # --- what is reported

    def _disinherit(self, live: Attempt) -> None:
        """The trial begins from scratch after all."""
        self.journal.disinherit(live.trial)
        live.record = replace(
            live.record, parent_trial_id=None, inherited_along=None, lineage_seconds=0.0
        )

    # --- how it ends

    def _completed(self, live: Attempt) -> None:
        lacking = live.lacks_results(self._wanted, self._study.judged_by)
        if lacking is None:
            self._finish(live, TrialState.COMPLETE, None)
        else:
            self._broke_off(live, Failure(Cause.CODE, lacking))

    def _hang(self) -> Failure:
        limit = duration(self._config.trial_time_limit or 0.0)
        return Failure(Cause.CODE, f"it hung: no epoch within {limit} (trial_time_limit)")

    def _broke_off(self, live: Attempt, failure: Failure) -> None:
        number = live.record.number
        if self._stop.kind is not None and failure.cause != Cause.ARCHITECTURE:
            # What asks for a stop may end workers, and what they have started, too.
            failure = Failure(Cause.REQUEST, self._stop.reason)
        if self._retries.takes_up(number, failure, hung=live.hung):
            _LOG.warning("trial %d: %s; it goes on in another worker", number, failure.reason)
            self._preempt(live, failure.reason)
            self._claimed.append(live.record)
        elif failure.cause.ends_trial:
            self._finish(live, TrialState(failure.state), failure.reason)
        else:
            self._preempt(live, failure.reason)
            if failure.cause.stops_run:
                reason = f"trial {number} met a fault of the {failure.cause}"
                self._stop.request(StopKind.FAULT, f"{reason}: {failure.sentence}")

    def _preempt(self, live: Attempt, reason: str) -> None:
        del self._live[live.record.number]
        self._study.preempt(live.record.number, reason)

    def _finish(self, live: Attempt, state: TrialState, reason: str | None) -> None:
        self._leave(live, live.ended(state, self._study.judged_by), reason)
        if (why := self._first_failures.ended(state, reason)) is not None:
            ask = surface().request("continue", self.record.name, {str(state): True})
            again = f"once it is mended, `{ask}` trains them again"
            self._stop.request(StopKind.FAULT, f"{why}; {again}")

    def _leave(self, live: Attempt, row: TrialRecord, reason: str | None = None) -> None:
        del self._live[row.number]
        self._study.tell(row.number, row.state, reason)
        self._compare(row)
        self._lineage.add(row, live.trial.point)

    def _compare(self, row: TrialRecord) -> None:
        """What was pruned, or is not through yet, is the best of nothing."""
        if row.state != TrialState.COMPLETE or row.accuracy is None:
            return
        if self._best is None or row.accuracy > self._best[0]:
            self._best = row.accuracy, self._study.trials[row.number].point.name
