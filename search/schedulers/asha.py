"""Asynchronous successive halving (Li et al., 2020), the stopping variant."""

from collections.abc import Hashable
from typing import ClassVar

from search.objectives import Goals, Values
from search.schedulers.base import GO_ON, Scheduler, Verdict


class Asha(Scheduler):
    """Stops a trial at a rung unless it is among the best 1/reduction_factor that reached it.

    Rungs lie at grace_epochs · reduction_factor^i below the full length, so no trial is stopped
    before grace_epochs. At every rung at least the best trial so far goes on.

    A value is taken at the first report at or beyond a rung and not changed by a later one.

    Args:
        goals: one objective, and constraints.
        fidelities: epochs of a full training.
        grace_epochs: epochs of the first rung.
        reduction_factor: at a rung, one of that many trials goes on.
    """

    multi_objective: ClassVar[bool] = False

    def __init__(
        self, goals: Goals, fidelities: int, *, grace_epochs: int = 1, reduction_factor: int = 3
    ) -> None:
        super().__init__(goals, fidelities)
        if grace_epochs < 1 or reduction_factor < 2:
            raise ValueError("grace_epochs must be at least 1 and reduction_factor at least 2")
        self._reduction_factor = reduction_factor
        self._rungs: dict[int, dict[Hashable, float]] = {}
        rung = grace_epochs
        while rung < fidelities:
            self._rungs[rung] = {}
            rung *= reduction_factor

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs at which trials are compared."""
        return tuple(self._rungs)

    def report(self, trial: Hashable, epoch: int, values: Values) -> Verdict:
        """Take a trial's objective after an epoch, and judge it."""
        if not self.goals.has(values):
            return GO_ON
        value = self.goals.vector(values)[0]
        verdict = GO_ON
        for rung, reached in self._rungs.items():
            if rung <= epoch and trial not in reached:
                reached[trial] = value
                verdict = self._judge(rung, trial)
                if verdict.stop:
                    break
        return verdict

    def _judge(self, rung: int, trial: Hashable) -> Verdict:
        values = self._rungs[rung]
        better = sum(other > values[trial] for other in values.values())
        places = max(1, len(values) // self._reduction_factor)
        if better < places:
            return GO_ON
        went_on = "only the best" if places == 1 else f"the best {places}"
        after = "1 epoch" if rung == 1 else f"{rung} epochs"
        reason = f"place {better + 1} of {len(values)} after {after}; {went_on} went on (asha)"
        return Verdict(stop=True, reason=reason)
