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
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from search.runner.assignment import Assignment, Report
from search.runner.history import Known, observation_of
from search.schedulers import GO_ON, Scheduler, Verdict
from search.searchers import Exhausted, Observation, Searcher
from search.store import (
    DuplicateArchitecture,
    EpochRecord,
    RunRecord,
    Store,
    StoreError,
    StudyRecord,
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
    curve: dict[int, float]
    epochs: set[int] = field(default_factory=set)
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


class StudySession:
    """What one driver does for a study.

    Args:
        store, study, run: where everything is written, and as whom.
        space, searcher, scheduler: the last two told the study's history already.
        protocol, data: what every worker is told.
        seed: of the study; every trial's seeds follow from it.
        planned: the number of trials to reach.
        known: every trial of the study so far.
        claimed: the numbers of those that this run goes on with.
        initial: points to try before the searcher is asked, with their origins.
        checkpoints: folder for the checkpoints of this study.
    """

    def __init__(
        self,
        *,
        store: Store,
        study: StudyRecord,
        run: RunRecord,
        space: DesignSpace,
        searcher: Searcher[Architecture],
        searcher_name: str,
        scheduler: Scheduler,
        protocol: Protocol,
        data: Mapping[str, Any],
        seed: int,
        planned: int,
        known: Iterable[Known],
        claimed: Iterable[int],
        initial: Iterable[tuple[str, Architecture]],
        checkpoints: Path,
    ) -> None:
        self._store, self.study, self._run = store, study, run
        self._space, self._searcher, self._scheduler = space, searcher, scheduler
        self._searcher_name = searcher_name
        self._protocol, self._data, self._seed = protocol, data, seed
        self.planned = planned
        self._checkpoints = checkpoints
        self._live: dict[int, _Live] = {}
        self._states: dict[int, TrialState] = {}
        self._best: tuple[float, str] | None = None
        self._ids: set[str] = set()
        self.exhausted: str | None = None
        self.failure: StoreError | None = None
        by_number = {}
        for item in known:
            by_number[item.trial.number] = item
            self._ids.add(item.architecture.id)
            self._states[item.trial.number] = item.trial.state
            self._note_best(item.trial.best_accuracy, item.architecture)
        self._claimed = deque(by_number[number] for number in sorted(claimed))
        self._initial = deque(initial)

    @property
    def live(self) -> int:
        """Trials that are handed out and have not ended."""
        return len(self._live)

    def stand(self) -> Stand:
        """How far the study is, from memory."""
        counts = dict.fromkeys(TrialState, 0) | Counter(self._states.values())
        best, name = self._best or (None, None)
        return Stand(counts, self.planned, best, name)

    @_remembers_failure
    def next_assignment(self) -> Assignment | None:
        """The next trial to run: an interrupted one, an initial point, or what the searcher asks.

        None when the planned number is handed out or the space is exhausted.
        """
        if self._claimed:
            item = self._claimed.popleft()
            return self._hand_out(item.trial, item.architecture, item.curve)
        if len(self._states) >= self.planned:
            return None
        proposal = self._propose()
        if proposal is None:
            return None
        trial, architecture = proposal
        self._ids.add(architecture.id)
        self._searcher.tell(architecture, Observation("running"))
        return self._hand_out(trial, architecture, {})

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
            self._store.preempt_trial(live.trial.id, report.reason or "", run_id=self._run.id)
            self._states[number] = TrialState.PREEMPTED
            del self._live[number]
        elif report.state is not None:
            self._finish(number, TrialState(report.state), report.reason)
        elif live.verdict.stop:
            self._finish(number, TrialState.PRUNED, live.verdict.reason)

    @_remembers_failure
    def crashed(self, number: int, state: TrialState, reason: str) -> None:
        """The worker is gone."""
        if number in self._live:
            self._finish(number, state, reason)

    def _propose(self) -> tuple[TrialRecord, Architecture] | None:
        """A new trial in the store; whatever proposes it, the study does not have it yet."""
        while True:
            if self._initial:
                origin, architecture = self._initial.popleft()
                if architecture.id in self._ids:
                    continue
            else:
                origin = self._searcher_name
                try:
                    architecture = self._searcher.ask()
                except Exhausted as error:
                    self.exhausted = str(error)
                    return None
            try:
                return self._add(architecture, origin), architecture
            except DuplicateArchitecture as error:
                # Only another process can have added it; the searcher must know of it.
                _LOG.warning("%s", error)
                self._ids.add(architecture.id)
                self._searcher.tell(architecture, Observation("running"))

    def _add(self, architecture: Architecture, origin: str) -> TrialRecord:
        costs = cost(architecture)
        seeds = self._protocol.seeds(self._seed, architecture.id)
        decisions = self._space.decisions(architecture)
        return self._store.add_trial(
            self.study.id,
            self._run.id,
            architecture,
            params=costs.params,
            macs=costs.macs,
            origin=origin,
            seeds={"initialisation": seeds.initialisation, "data_order": seeds.data_order},
            decisions=[{"name": d.name, "choice": d.choice} for d in decisions],
        )

    def _hand_out(
        self, trial: TrialRecord, architecture: Architecture, curve: Mapping[int, float]
    ) -> Assignment:
        self._live[trial.number] = _Live(trial, architecture, dict(curve))
        self._states[trial.number] = TrialState.WAITING
        checkpoint = self._checkpoints / f"{trial.number:05d}-{architecture.id}.safetensors"
        return Assignment(trial, architecture, self._protocol.to_dict(), self._data, checkpoint)

    def _record(self, live: _Live, epoch: int, figures: Mapping[str, Any]) -> None:
        names = ("train_loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds")
        record = EpochRecord(epoch, **{name: figures.get(name) for name in names})
        self._store.record_epoch(live.trial.id, record, run_id=self._run.id)
        live.epochs.add(epoch)
        accuracy = record.validation_accuracy
        if accuracy is None or not math.isfinite(accuracy):
            return
        live.curve[epoch] = accuracy
        self._note_best(accuracy, live.architecture)
        verdict = self._scheduler.report(
            live.architecture.id, epoch, {"validation_accuracy": accuracy}
        )
        live.verdict = live.verdict if live.verdict.stop else verdict

    def _forget_beyond(self, live: _Live, last: int) -> None:
        """Drop epochs of an earlier attempt that the worker does not know: its file was lost."""
        if max(live.curve, default=0) > last:
            self._store.forget_epochs(live.trial.id, after=last)
            live.curve = {epoch: value for epoch, value in live.curve.items() if epoch <= last}

    def _finish(self, number: int, state: TrialState, reason: str | None) -> None:
        live = self._live.pop(number)
        self._store.finish_trial(live.trial.id, state, reason, run_id=self._run.id)
        self._states[number] = state
        self._searcher.tell(live.architecture, observation_of(state, live.curve))
        if state != TrialState.COMPLETE:
            checkpoint = self._checkpoints / f"{number:05d}-{live.architecture.id}.safetensors"
            checkpoint.unlink(missing_ok=True)  # nothing will go on from it

    def _note_best(self, accuracy: float | None, architecture: Architecture) -> None:
        if accuracy is not None and (self._best is None or accuracy > self._best[0]):
            self._best = accuracy, architecture.name
