"""The median stopping rule of Vizier (Golovin et al., 2017, section 3.2.2)."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, StrictInt

from search.objectives import Objectives, Values
from search.schedulers.rung_ranking import SortKey, sort_key
from search.schedulers.scheduler import CONTINUE, Decision, GraceOptions, Scheduler

_WORST: SortKey = (float("inf"), float("inf"))


@dataclass
class _Curve:
    """What a trial has reported up to now."""

    epoch: int = 0
    reports: int = 0
    violation: float = 0.0
    objective: float = 0.0
    best: SortKey = _WORST

    def add(self, epoch: int, key: SortKey) -> None:
        self.epoch = epoch
        self.reports += 1
        self.violation += key[0]
        self.objective += key[1]
        self.best = min(self.best, key)

    @property
    def average(self) -> SortKey:
        """Feasible only when every epoch was."""
        if self.violation > 0:
            return self.violation / self.reports, 0.0
        return 0.0, self.objective / self.reports


class MedianStopping(Scheduler):
    """Stops a trial whose best result is below the median of the others' running averages.

    After epoch s the best result of the trial up to s is compared with the averages over the
    epochs up to s of all other trials that have reported s before.
    """

    class Options(GraceOptions):
        """Options of the median stopping rule.

        Attributes:
            grace_epochs: no trial is stopped before that epoch.
            min_trials: nor as long as fewer others have come as far.
        """

        min_trials: StrictInt = Field(default=5, ge=1)

    options: Options
    multi_objective: ClassVar[bool] = False

    def __init__(self, objectives: Objectives, fidelities: int, **options: Any) -> None:
        super().__init__(objectives, fidelities, **options)
        self._curves: defaultdict[Hashable, _Curve] = defaultdict(_Curve)
        self._averages: defaultdict[int, list[SortKey]] = defaultdict(list)

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take a trial's metrics after an epoch, and judge it."""
        curve = self._curves[trial]
        if not self.objectives.has(values) or epoch <= curve.epoch:
            return CONTINUE
        curve.add(epoch, sort_key(self.objectives, values))
        others = self._averages[epoch]
        decision = self._judge(epoch, curve.best, others)
        insort(others, curve.average)
        return decision

    def _judge(self, epoch: int, best: SortKey, others: Sequence[SortKey]) -> Decision:
        early = epoch < self.options.grace_epochs or len(others) < self.options.min_trials
        if early or epoch >= self.fidelities or not _is_worse(best, _median(others)):
            return CONTINUE
        place = bisect_left(others, best) + 1
        after = "1 epoch" if epoch == 1 else f"{epoch} epochs"
        ranked = f"place {place} of {len(others) + 1} after {after}"
        return Decision(stop=True, reason=f"{ranked}; the better half went on (median)")


def _is_worse(one: SortKey, other: SortKey) -> bool:
    """Worse by more than the rounding of averages: equal curves are equal."""
    slack = 1e-12 * max(1.0, abs(other[1]))
    return (one[0], one[1] - slack) > other


def _median(ordered: Sequence[SortKey]) -> SortKey:
    upper, lower = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return (upper[0] + lower[0]) / 2, (upper[1] + lower[1]) / 2
