"""One run of a study, without Ray: hands out trials, takes reports, and keeps the store right.

The driver is the only writer to the store. Ray's callbacks call this object; it decides nothing
that could not be rebuilt from the store.
"""

import functools
import logging
import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from search.runner.ancestry import Ancestry
from search.runner.assignment import Assignment, Report
from search.runner.checkpoints import Checkpoints
from search.runner.proposals import Proposal, Proposals
from search.runner.telling import Telling
from search.runner.trial_seeds import TrialSeeds
from search.schedulers import GO_ON, Verdict
from search.searchers import Exhausted
from search.store import (
    DuplicateArchitecture,
    EpochRecord,
    RunRecord,
    Store,
    StoreError,
    StudyRecord,
    TrainedElsewhere,
    TrialRecord,
    TrialState,
)
from space import Architecture, DesignSpace
from space.cost import cost
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


@dataclass(slots=True)
class _Live:
    """A trial that this run has handed out."""

    trial: TrialRecord
    architecture: Architecture
    recorded: set[int]
    """Epochs in the store, those of earlier attempts included."""
    epochs: set[int] = field(default_factory=set)
    """Epochs that this attempt has reported."""
    verdict: Verdict = GO_ON


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the study is.

    Attributes:
        counts: trials by state; planned: how many there shall be.
        best: highest validation accuracy so far, and best_name the operators that reached it.
    """

    counts: Mapping[TrialState, int]
    planned: int
    best: float | None
    best_name: str | None

    @property
    def ended(self) -> int:
        """Trials in a terminal state."""
        return sum(count for state, count in self.counts.items() if state.is_terminal)


@dataclass(frozen=True, slots=True)
class Known:
    """A trial of the study as the store has it."""

    trial: TrialRecord
    architecture: Architecture
    epochs: frozenset[int] = frozenset()


class StudySession:
    """What one driver does for a study.

    Args:
        store, study, run: where everything is written, and as whom.
        space: what is searched.
        proposals: what to train next.
        telling: has told the study's history to searcher and scheduler already.
        protocol, data: what every worker is told.
        seeds: of the trials.
        planned: the number of trials to reach, repeats left out.
        known: every trial of the study so far.
        claimed: the numbers of those that this run goes on with.
        retries: how often a trial is taken up again after its worker was killed.
        checkpoints: those of this study.
        ancestry: where new trials find the weights that they start from.
    """

    def __init__(
        self,
        *,
        store: Store,
        study: StudyRecord,
        run: RunRecord,
        space: DesignSpace,
        proposals: Proposals,
        telling: Telling,
        protocol: Protocol,
        data: Mapping[str, Any],
        seeds: TrialSeeds,
        planned: int,
        known: Iterable[Known],
        claimed: Iterable[int],
        retries: int,
        checkpoints: Checkpoints,
        ancestry: Ancestry,
    ) -> None:
        self._store, self.study, self._run = store, study, run
        self._space, self._proposals, self._telling = space, proposals, telling
        self._protocol, self._data, self._seeds = protocol, data, seeds
        self.planned = planned
        self._retries, self._checkpoints, self._ancestry = retries, checkpoints, ancestry
        self._live: dict[int, _Live] = {}
        self._states: dict[int, TrialState] = {}
        self._best: tuple[float, str] | None = None
        self._ids: set[str] = set()
        self._repeats = 0
        self._killed: Counter[int] = Counter()
        self.exhausted: str | None = None
        self.failure: StoreError | None = None
        by_number = {}
        for item in known:
            by_number[item.trial.number] = item
            self._ids.add(item.architecture.id)
            self._repeats += item.trial.repeat > 0
            self._states[item.trial.number] = item.trial.state
            self._note_best(item.trial.best_accuracy, item.architecture)
        self._claimed = deque(by_number[number] for number in sorted(claimed))

    @property
    def live(self) -> int:
        """Trials that are handed out and have not ended."""
        return len(self._live)

    def stand(self) -> Stand:
        """How far the study is, from memory."""
        counts = dict.fromkeys(TrialState, 0) | Counter(self._states.values())
        best, name = self._best or (None, None)
        planned = self.planned + self._repeats + self._proposals.repeats
        return Stand(counts, planned, best, name)

    @_remembers_failure
    def next_assignment(self) -> Assignment | None:
        """The next trial to run: an interrupted one, one that was asked for, or the searcher's.

        None when the planned number is handed out or no point is left. A later call may give one
        again, when a worker was killed in the meantime.
        """
        while self._claimed:
            item = self._claimed.popleft()
            self._take_up(item)
            begun = bool(item.epochs) or self._killed[item.trial.number]
            if begun and self._ended_by_verdict(item.trial.number):
                continue
            # While this study lay still, another may have trained what it had not begun.
            if begun or not self._ended_by_reuse(item):
                return self._assignment(item)
        while (new := self._new()) is not None:
            if not self._ended_by_reuse(new):
                return self._assignment(new)
        return None

    @_remembers_failure
    def started(self, number: int) -> None:
        """A worker has taken the trial up."""
        live = self._live[number]
        if self._store.start_trial(live.trial.id, self._run.id):
            self._states[number] = TrialState.RUNNING

    @_remembers_failure
    def reported(self, number: int, report: Report) -> Verdict:
        """Record what is new in a report, and say whether the trial shall stop."""
        live = self._live.get(number)
        if live is None:
            return GO_ON
        if report.inherited is False and live.trial.parent_trial_id is not None:
            self._store.disinherit_trial(live.trial.id, run_id=self._run.id)
            live.trial = self._store.trial(live.trial.id)
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

    def _new(self) -> Known | None:
        """A new trial in the store; whatever proposes it, the study does not have it yet."""
        elsewhere: set[str] = set()
        while True:
            proposal = self._proposals.repeat()
            if proposal is None and len(self._ids) >= self.planned:
                return None
            try:
                proposal = proposal or self._proposals.first(self._ids, elsewhere)
            except Exhausted as error:
                self.exhausted = str(error)
                return None
            try:
                return self._add(proposal)
            except TrainedElsewhere:
                elsewhere.add(proposal.architecture.id)
            except DuplicateArchitecture as error:
                # Only another process can have added it; the searcher must know of it.
                _LOG.warning("%s", error)
                self._note_new(error.trial, proposal.architecture)

    def _add(self, proposal: Proposal) -> Known:
        architecture = proposal.architecture
        costs = cost(architecture)
        trial = self._store.add_trial(
            self.study.id,
            self._run.id,
            architecture,
            params=costs.params,
            macs=costs.macs,
            origin=proposal.origin,
            seeds=self._seeds.of(architecture.id, proposal.repeat),
            decisions=[{"name": d.name, "choice": d.choice} for d in self._decisions(architecture)],
            repeat=proposal.repeat,
            parent=None if proposal.repeat else self._ancestry.parent_of(architecture),
            exclusive=True,
        )
        self._note_new(trial, architecture)
        item = Known(trial, architecture)
        self._take_up(item)
        return item

    def _decisions(self, architecture: Architecture) -> Iterable[Any]:
        """How the space leads to it; a repeat or a warm start may come from outside the space."""
        return self._space.decisions(architecture) if self._space.contains(architecture) else ()

    def _note_new(self, trial: TrialRecord, architecture: Architecture) -> None:
        self._ids.add(architecture.id)
        self._repeats += trial.repeat > 0
        self._states[trial.number] = trial.state
        if not trial.repeat:
            self._telling.created(trial.number, architecture)

    def _ended_by_reuse(self, item: Known) -> bool:
        """Whether another study has trained it under this protocol: then its epochs are taken."""
        trial = item.trial
        if trial.repeat:
            return False
        source = self._store.find_result(
            trial.architecture_id,
            self.study.protocol_hash,
            outside=self.study.id,
            inherited=self._ancestry.inherits,
        )
        if source is None or not self._store.reuse_result(trial.id, source.id, self._run.id):
            return False
        live = self._live[trial.number]
        live.trial = self._store.trial(trial.id)
        theirs = Checkpoints.of(self._store.study_by_id(source.study_id))
        self._checkpoints.adopt(trial, theirs.file(source))
        for record in self._store.epochs(trial.id):
            figures = {name: getattr(record, name) for name in _FIGURES}
            live.verdict = self._telling.epoch(trial.number, record.epoch, figures)
            live.recorded.add(record.epoch)
        self._note_best(live.trial.best_accuracy, live.architecture)
        if live.trial.state == TrialState.COMPLETE:
            self._leave(trial.number, TrialState.COMPLETE)
            return True
        return self._ended_by_verdict(trial.number)

    def _ended_by_verdict(self, number: int) -> bool:
        """Prune a trial that was sentenced before it could be told; whether it was."""
        live = self._live[number]
        live.verdict = self._telling.verdict(number)
        if live.verdict.stop:
            self._finish(number, TrialState.PRUNED, live.verdict.reason)
        return live.verdict.stop

    def _take_up(self, item: Known) -> None:
        self._live[item.trial.number] = _Live(item.trial, item.architecture, set(item.epochs))
        self._states[item.trial.number] = TrialState.WAITING

    def _assignment(self, item: Known) -> Assignment:
        live = self._live[item.trial.number]
        checkpoint = self._checkpoints.file(live.trial)
        protocol = self._protocol.to_dict()
        parent = self._ancestry.weights(live.trial, live.architecture)
        return Assignment(live.trial, live.architecture, protocol, self._data, checkpoint, parent)

    def _record(self, live: _Live, epoch: int, figures: Mapping[str, Any]) -> None:
        record = EpochRecord(epoch, **{name: figures.get(name) for name in _FIGURES})
        self._store.record_epoch(live.trial.id, record, run_id=self._run.id)
        live.epochs.add(epoch)
        is_new = epoch not in live.recorded
        live.recorded.add(epoch)
        accuracy = record.validation_accuracy
        if accuracy is not None and math.isfinite(accuracy):
            self._note_best(accuracy, live.architecture)
        if is_new:
            verdict = self._telling.epoch(live.trial.number, epoch, figures)
            live.verdict = live.verdict if live.verdict.stop else verdict

    def _forget_beyond(self, live: _Live, last: int) -> None:
        """Drop epochs of an earlier attempt that the worker does not know: its file was lost."""
        if max(live.recorded, default=0) > last:
            self._store.forget_epochs(live.trial.id, after=last)
            live.recorded = {epoch for epoch in live.recorded if epoch <= last}
            self._telling.forgotten(live.trial.number, last)

    def _preempt(self, number: int, reason: str) -> None:
        live = self._live.pop(number)
        self._store.preempt_trial(live.trial.id, reason, run_id=self._run.id)
        self._states[number] = TrialState.PREEMPTED

    def _finish(self, number: int, state: TrialState, reason: str | None) -> None:
        live = self._live[number]
        self._store.finish_trial(live.trial.id, state, reason, run_id=self._run.id)
        self._leave(number, state)
        if state in (TrialState.FAILED, TrialState.INFEASIBLE):
            self._checkpoints.file(live.trial).unlink(missing_ok=True)  # nothing goes on from it

    def _leave(self, number: int, state: TrialState) -> None:
        live = self._live.pop(number)
        self._states[number] = state
        self._telling.ended(number, state)
        if self._ancestry.inherits:
            self._ancestry.add(self._store.trial(live.trial.id), live.architecture)

    def _note_best(self, accuracy: float | None, architecture: Architecture) -> None:
        if accuracy is not None and (self._best is None or accuracy > self._best[0]):
            self._best = accuracy, architecture.name


_FIGURES = ("train_loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds")
