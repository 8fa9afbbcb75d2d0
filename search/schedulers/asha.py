"""Asynchronous successive halving (Li et al., 2020), the stopping variant."""

from collections.abc import Hashable
from typing import Any, ClassVar

from search.objectives import Goals, Values
from search.schedulers.base import Decision, Scheduler
from search.schedulers.halving import Halving, HalvingOptions, rung_epochs


class Asha(Scheduler):
    """Stops a trial at a rung unless it is among the best 1/reduction_factor that reached it.

    Rungs lie at grace_epochs · reduction_factor^i below the full length, so no trial is stopped
    before grace_epochs. At every rung at least the best trial so far goes on.
    """

    class Options(HalvingOptions):
        """Options of successive halving."""

    options: Options
    multi_objective: ClassVar[bool] = False
    name: ClassVar[str] = "asha"

    def __init__(self, goals: Goals, fidelities: int, **options: Any) -> None:
        super().__init__(goals, fidelities, **options)
        self.rungs = rung_epochs(fidelities, self.options)
        self._halving = Halving(goals, fidelities, self.rungs, self.options.reduction_factor)

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take a trial's figures after an epoch, and judge it."""
        return self._halving.report(trial, epoch, values, self.name)


class Moasha(Asha):
    """Multi-objective asynchronous successive halving (Schmucker et al., 2021).

    At a rung, trials are ranked by Pareto front, and within a front so that the most different
    ones go first. With one objective it is Asha.
    """

    multi_objective: ClassVar[bool] = True
    name: ClassVar[str] = "moasha"
