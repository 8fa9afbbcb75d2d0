"""The place of a result among others that came to the same rung.

One objective is ranked by value. Several are ranked by Pareto front, and within a front so that
the most different results go first (an epsilon-net). Source of the latter: Schmucker et al.,
"Multi-objective asynchronous successive halving" (2021).
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, insort

import numpy as np

from search.objectives import Fronts, Objectives, Values
from search.objectives.pareto_fronts import Floats

SortKey = tuple[float, float]
"""The violation, and for a feasible result the negative objective: the smaller is the better."""


def sort_key(objectives: Objectives, values: Values) -> SortKey:
    """By the first objective; infeasible results come last, by violation."""
    violation = objectives.violation(values)
    return (violation, 0.0) if violation > 0 else (0.0, -objectives.vector(values)[0])


class RungRanking(ABC):
    """Results that are ranked, more and more of them.

    Args:
        objectives: by which results are compared.
    """

    def __init__(self, objectives: Objectives) -> None:
        self.objectives = objectives

    @abstractmethod
    def __len__(self) -> int:
        """How many results there are."""

    @abstractmethod
    def add(self, values: Values) -> int:
        """Add a result that has every objective; equal ones share a place.

        Returns:
            Its place from 1: one more than the results that come strictly before it.
        """


class SingleObjectiveRanking(RungRanking):
    """Places by one objective; adding to n results takes O(log n) comparisons."""

    def __init__(self, objectives: Objectives) -> None:
        super().__init__(objectives)
        self._sorted: list[SortKey] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, values: Values) -> int:
        """Add a result by bisection."""
        key = sort_key(self.objectives, values)
        before = bisect_left(self._sorted, key)
        insort(self._sorted, key)
        return before + 1


class ParetoRanking(RungRanking):
    """Feasible results by front and epsilon-net, and after them infeasible ones by violation.

    The place follows from what was added, not from its order.
    """

    def __init__(self, objectives: Objectives) -> None:
        super().__init__(objectives)
        self._fronts = Fronts(len(objectives))
        self._violations: list[float] = []

    def __len__(self) -> int:
        return len(self._fronts) + len(self._violations)

    def add(self, values: Values) -> int:
        """Add a result to its front, or to the violations."""
        violation = self.objectives.violation(values)
        if violation > 0:
            before = len(self._fronts) + bisect_left(self._violations, violation)
            insort(self._violations, violation)
            return before + 1
        vector = np.array(self.objectives.vector(values))
        front = self._fronts.add(vector)
        return self._fronts.before(front) + place_in_front(self._fronts.rows(front), vector)


def place_in_front(front: Floats, vector: Floats) -> int:
    """The place of a vector, from 1, when the most different ones of its front go first.

    The first is the best by the first objective, and each next one is farthest from all before
    it, with every objective scaled to the width of the front.

    Args:
        front: shape (n, m), with the vector among its rows.
        vector: shape (m,); equal rows share a place.
    """
    rows, counts = np.unique(front, axis=0, return_counts=True)
    wanted = int(np.flatnonzero((rows == vector).all(1))[0])
    width = rows.max(0) - rows.min(0)
    scaled = (rows - rows.min(0)) / np.where(width > 0, width, 1.0)
    chosen, place = len(rows) - 1, 1
    gaps = np.full(len(rows), np.inf)
    while chosen != wanted:
        place += int(counts[chosen])
        gaps = np.minimum(gaps, ((scaled - scaled[chosen]) ** 2).sum(1))
        gaps[chosen] = -1.0
        chosen = int(np.argmax(gaps))
    return place
