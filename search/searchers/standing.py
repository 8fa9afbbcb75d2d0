"""Which points are better: a ranking of points that were observed at different fidelities."""

from collections.abc import Sequence
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.objectives import best_first
from search.searchers.base import P, Task
from search.searchers.extrapolation import final_estimates
from search.searchers.history import Entry

Floats = NDArray[np.float64]


class Standing(Generic[P]):
    """Points in order: feasible before infeasible, then by front, then the less crowded first.

    Complete points are judged by their figures, others by those expected at the highest fidelity.
    Points that cannot be judged, such as failed ones, have no place.

    Args:
        task: whose goals order the points.
        entries: of points that have ended, in any order.

    Attributes:
        entries: the points that can be judged, in the order given.
        vectors: their objectives, shape (n, m).
        violations: shape (n,).
    """

    def __init__(self, task: Task[P], entries: Sequence[Entry[P]]) -> None:
        told = sorted(entries, key=lambda entry: entry.number)
        ended = [e for e in told if e.observation.outcome in ("complete", "pruned")]
        estimates = {
            name: final_estimates([e.observation for e in ended], name, task.fidelities).mean
            for name in task.goals.names
        }
        self.entries: list[Entry[P]] = []
        vectors: list[tuple[float, ...]] = []
        violations: list[float] = []
        for row, entry in enumerate(ended):
            figures = {n: float(v[row]) for n, v in estimates.items() if not np.isnan(v[row])}
            if task.judged(entry.point, figures):
                self.entries.append(entry)
                vectors.append(task.vector(entry.point, figures))
                violations.append(task.violation(entry.point, figures))
        width = len(task.goals.objectives)
        self.vectors: Floats = np.array(vectors).reshape(len(vectors), width)
        self.violations: Floats = np.array(violations)

    def order(self, most: int | None = None) -> list[Entry[P]]:
        """The points, the best first; among equals the one that was told first.

        Args:
            most: so many points are enough; then the order of the worse ones is not worked out.
        """
        return [self.entries[place] for place in best_first(self.vectors, self.violations, most)]
