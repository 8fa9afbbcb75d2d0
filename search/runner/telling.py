"""Tells searchers and scheduler what happens to trials, the same live and when it is retold."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from search.figures import MEASURED
from search.objectives import JudgedBy, Values, judged_values
from search.schedulers import GO_ON, Scheduler, Verdict
from search.searchers import Observation, Outcome, Searcher
from search.store import EventKind, StudyHistory, TrialState
from space import Architecture
from space.design.paired_points import PAIRED

_OUTCOMES: Mapping[TrialState, Outcome] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAILED: "failed",
    TrialState.INFEASIBLE: "infeasible",
}


@dataclass(slots=True)
class _Told:
    """A trial as far as it was told."""

    architecture: Architecture
    known: Values
    curve: dict[int, Values] = field(default_factory=dict)
    verdict: Verdict = GO_ON
    judged: bool = True
    pruned: bool = False


class Telling:
    """Passes the events of a study on, in their order.

    Repeats of an architecture are not told: they train a known point again.

    Args:
        searchers: all that must know of every point.
        scheduler: judges the epochs.
        known: the figures of an architecture that need no training.
        rule: which epoch of a trial the searchers are told of.
    """

    def __init__(
        self,
        searchers: Sequence[Searcher[Architecture]],
        scheduler: Scheduler,
        known: Callable[[Architecture], Values],
        rule: JudgedBy,
    ) -> None:
        self._searchers, self._scheduler, self._known = searchers, scheduler, known
        self._rule: JudgedBy = rule
        self._told: dict[int, _Told] = {}

    def created(self, number: int, architecture: Architecture, origin: str) -> None:
        """A trial stands in the store; one of a paired comparison is not cut short."""
        judged = not origin.startswith(PAIRED)
        self._told[number] = _Told(architecture, self._known(architecture), judged=judged)
        self._scheduler.added(number)
        self._tell(number, "running")

    def epoch(self, number: int, epoch: int, figures: Mapping[str, float | None]) -> Verdict:
        """An epoch was recorded; whether the trial shall stop."""
        told = self._told.get(number)
        if told is None:
            return GO_ON
        named = ((name, figures.get(name)) for name in MEASURED)
        values = {name: v for name, v in named if v is not None and math.isfinite(v)}
        told.curve[epoch] = {**values, **told.known}
        self._tell(number, "running")
        verdict = self._scheduler.report(number, epoch, told.curve[epoch])
        if told.judged and not told.verdict.stop:
            told.verdict = verdict
        return told.verdict

    def forgotten(self, number: int, last: int) -> None:
        """The epochs behind `last` were lost."""
        told = self._told.get(number)
        if told is not None:
            told.curve = {epoch: v for epoch, v in told.curve.items() if epoch <= last}
            self._tell(number, "running")

    def continued(self, number: int) -> None:
        """An ended trial goes on by request; a pruned one to its end whatever is said of it."""
        told = self._told.get(number)
        if told is not None:
            told.verdict, told.judged = GO_ON, told.judged and not told.pruned
            self._tell(number, "running")

    def ended(self, number: int, state: TrialState) -> None:
        """A trial has reached a terminal state."""
        if number in self._told:
            self._told[number].pruned = state == TrialState.PRUNED
            self._tell(number, _OUTCOMES[state])

    def verdict(self, number: int) -> Verdict:
        """What the scheduler said last of a trial."""
        told = self._told.get(number)
        return GO_ON if told is None else told.verdict

    def retell(self, history: StudyHistory, architectures: Mapping[str, Architecture]) -> None:
        """Pass on everything that happened in the earlier runs of a study."""
        trials = {trial.id: trial for trial in history.trials if not trial.repeat}
        figures = {
            trial: {record.epoch: record for record in curve}
            for trial, curve in history.curves.items()
        }
        for event in history.events:
            trial = trials.get(event.trial_id)
            if trial is None:
                continue
            match event.kind:
                case EventKind.CREATED:
                    self.created(trial.number, architectures[trial.architecture_id], trial.origin)
                case EventKind.EPOCH if event.epoch in figures[trial.id]:
                    record = figures[trial.id][event.epoch]
                    named = {name: getattr(record, name) for name in MEASURED}
                    self.epoch(trial.number, record.epoch, named)
                case EventKind.FORGOTTEN:
                    self.forgotten(trial.number, event.epoch or 0)
                case EventKind.CONTINUED:
                    self.continued(trial.number)
                case _ if event.kind.value in _OUTCOMES:
                    self.ended(trial.number, TrialState(event.kind.value))

    def _tell(self, number: int, outcome: Outcome) -> None:
        told = self._told[number]
        counts = outcome in ("running", "complete", "pruned")
        curve = dict(told.curve) if counts else {}
        observation = Observation(outcome, judged_values(curve, self._rule), curve)
        for searcher in self._searchers:
            searcher.tell(told.architecture, observation)
