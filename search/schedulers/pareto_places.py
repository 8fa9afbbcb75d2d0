"""Places by several objectives: first by Pareto front, within a front spread out by an epsilon-net.

Source: Schmucker et al., "Multi-objective asynchronous successive halving" (2021).
"""

from bisect import bisect_left, insort

import numpy as np

from search.objectives import Goals, Values
from search.objectives.fronts import Fronts
from search.objectives.pareto import Floats
from search.schedulers.standing import Places


class ParetoPlaces(Places):
    """Feasible results by front and epsilon-net, and after them infeasible ones by violation.

    The place follows from what was added, not from its order.
    """

    def __init__(self, goals: Goals) -> None:
        super().__init__(goals)
        self._fronts = Fronts(len(goals.objectives))
        self._violations: list[float] = []

    def __len__(self) -> int:
        return len(self._fronts) + len(self._violations)

    def add(self, values: Values) -> int:
        """Add a result; equal ones share a place."""
        violation = self.goals.violation(values)
        if violation > 0:
            before = len(self._fronts) + bisect_left(self._violations, violation)
            insort(self._violations, violation)
            return before + 1
        vector = np.array(self.goals.vector(values))
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
