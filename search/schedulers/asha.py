"""Asynchronous successive halving (Li et al., 2020), the stopping variant: nobody waits."""

from collections.abc import Hashable
from typing import Any, ClassVar

from pydantic import Field, StrictInt

from search.objectives import Objectives, Values
from search.schedulers.rung_ranking import ParetoRanking, SingleObjectiveRanking
from search.schedulers.scheduler import CONTINUE, Decision, GraceOptions, Scheduler


class HalvingOptions(GraceOptions):
    """Options of all schedulers with rungs.

    Attributes:
        grace_epochs: epochs of the first rung; no trial is stopped before.
        reduction_factor: at every rung one of that many trials goes on.
    """

    reduction_factor: StrictInt = Field(default=3, ge=2, le=100)

    def rungs(self, fidelities: int) -> tuple[int, ...]:
        """grace_epochs · reduction_factor^i, as far as they lie below the full length."""
        epochs: list[int] = []
        rung = self.grace_epochs
        while rung < fidelities:
            epochs.append(rung)
            rung *= self.reduction_factor
        return tuple(epochs)


class Asha(Scheduler):
    """Stops a trial at a rung unless it is among the best 1/reduction_factor that reached it.

    Rungs lie at grace_epochs · reduction_factor^i below the full length, so no trial is stopped
    before grace_epochs. At every rung at least the best trial so far goes on.
    """

    Options = HalvingOptions
    options: HalvingOptions
    multi_objective: ClassVar[bool] = False
    name: ClassVar[str] = "asha"

    def __init__(self, objectives: Objectives, fidelities: int, **options: Any) -> None:
        super().__init__(objectives, fidelities, **options)
        self.rungs = self.options.rungs(fidelities)
        self._bracket = Bracket(objectives, fidelities, self.rungs, self.options.reduction_factor)

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take a trial's metrics after an epoch, and judge it."""
        return self._bracket.report(trial, epoch, values, self.name)


class Moasha(Asha):
    """Multi-objective asynchronous successive halving (Schmucker et al., 2021).

    At a rung, trials are ranked by Pareto front, and within a front so that the most different
    ones go first. With one objective it is Asha.
    """

    multi_objective: ClassVar[bool] = True
    name: ClassVar[str] = "moasha"


class Rung:
    """The results that trials had when they came by.

    Args:
        epochs: where the rung lies.
        ranking: of the results.
    """

    def __init__(self, epochs: int, ranking: SingleObjectiveRanking | ParetoRanking) -> None:
        self.epochs = epochs
        self._ranking = ranking
        self._trials: set[Hashable] = set()

    def enter(self, trial: Hashable, values: Values, reduction_factor: int) -> str:
        """Why the trial should stop; empty when it may go on, or was here already."""
        if trial in self._trials:
            return ""
        self._trials.add(trial)
        place = self._ranking.add(values)
        going_on = max(1, len(self._ranking) // reduction_factor)
        if place <= going_on:
            return ""
        who = "only the best" if going_on == 1 else f"the best {going_on}"
        after = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"place {place} of {len(self._ranking)} after {after}; {who} went on"


class Bracket:
    """Lets one of reduction_factor trials go on at every rung, and always the best so far.

    A result is taken at the first report at or beyond a rung and not changed by a later one. A
    trial that is through is not stopped any more.

    Args:
        objectives: by which results are compared: one by its value, several by fronts.
        fidelities: epochs of a full training.
        epochs: where the rungs lie.
        reduction_factor: at a rung, one of that many trials goes on.
    """

    def __init__(
        self,
        objectives: Objectives,
        fidelities: int,
        epochs: tuple[int, ...],
        reduction_factor: int,
    ) -> None:
        ranking = SingleObjectiveRanking if len(objectives) == 1 else ParetoRanking
        self._objectives = objectives
        self._fidelities = fidelities
        self._reduction_factor = reduction_factor
        self._rungs = [Rung(each, ranking(objectives)) for each in epochs]

    def report(self, trial: Hashable, epoch: int, values: Values, name: str) -> Decision:
        """Take a trial's metrics after an epoch, and judge it; the name ends the reason."""
        if not self._objectives.has(values):
            return CONTINUE
        for rung in self._rungs:
            if rung.epochs > epoch:
                break
            reason = rung.enter(trial, values, self._reduction_factor)
            if reason and epoch < self._fidelities:
                return Decision(stop=True, reason=f"{reason} ({name})")
        return CONTINUE
