"""The place of a result among others that came to the same rung.

One objective is ranked by value. Several are ranked by Pareto front, and within a front so that
the most different results go first (an epsilon-net). Source of the latter: Schmucker et al.,
"Multi-objective asynchronous successive halving" (2021).
"""

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


class SingleObjectiveRanking:
    """Places of more and more results by one objective.

    Args:
        objectives: the one, and constraints.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._sorted: list[SortKey] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, values: Values) -> int:
        """Add a result that has the objective, in O(log n) comparisons.

        Returns:
            Its place from 1: one more than the results that come strictly before it.
        """
        key = sort_key(self._objectives, values)
        before = bisect_left(self._sorted, key)
        insort(self._sorted, key)
        return before + 1


class ParetoRanking:
    """Feasible results by front and epsilon-net, and after them infeasible ones by violation.

    The place follows from what was added, not from its order.

    Args:
        objectives: by which results are compared.
    """

    def __init__(self, objectives: Objectives) -> None:
        self._objectives = objectives
        self._fronts = Fronts(len(objectives))
        self._violations: list[float] = []

    def __len__(self) -> int:
        return len(self._fronts) + len(self._violations)

    def add(self, values: Values) -> int:
        """Add a result that has every objective to its front, or to the violations.

        Returns:
            Its place from 1: one more than the results that come strictly before it.
        """
        violation = self._objectives.violation(values)
        if violation > 0:
            before = len(self._fronts) + bisect_left(self._violations, violation)
            insort(self._violations, violation)
            return before + 1
        vector = np.array(self._objectives.vector(values))
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
