"""A batch of points that together promise the largest improvement."""

from collections.abc import Sequence
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.base import P, Task
from search.searchers.surrogate.figures import ENDS_WELL
from search.searchers.surrogate.improvement import Front, normal_cdf
from search.searchers.surrogate.model import Learnt

Floats = NDArray[np.float64]


class Planner(Generic[P]):
    """Ranks candidates by expected hypervolume improvement times the chance to be feasible.

    Args:
        task: with the goals.
        points: the candidates.
        learnt: what is believed of their figures, and first of those of `running` points.
        running: how many of the points are being evaluated already.
        best: objectives of the points so far, feasible ones.
        reference: the worst vector that counts.
    """

    def __init__(
        self,
        task: Task[P],
        points: Sequence[P],
        learnt: dict[str, Learnt],
        running: int,
        best: Floats,
        reference: Floats,
    ) -> None:
        self._task, self._points, self._learnt = task, points, learnt
        known = [task.known(point) for point in points]
        self._known = {
            name: np.array([values[name] for values in known])
            for name in task.goals.names
            if known and name in known[0]
        }
        self._front = Front(best, reference)
        self._open = np.ones(len(points), bool)
        for place in range(running):
            self._take(place)

    def batch(self, size: int, spare: int) -> list[P]:
        """`size` points, each chosen as if those before were known, and then `spare` others."""
        chosen: list[int] = []
        for _ in range(min(size, int(self._open.sum()))):
            best = int(self._ranked()[0])
            chosen.append(best)
            self._take(best)
        others = [int(place) for place in self._ranked()[:spare]]
        return [self._points[place] for place in chosen + others]

    def _take(self, place: int) -> None:
        self._open[place] = False
        for learnt in self._learnt.values():
            learnt.expect(place)
        means, _ = self._objectives()
        self._front = self._front.joined(means[place])

    def _ranked(self) -> NDArray[np.int64]:
        """The open candidates, the best first."""
        means, deviations = self._objectives()
        chance = self._feasible()
        promise = self._front.improvement(means, deviations) * chance
        hope = (means + 2 * deviations).sum(1) * chance  # where the promise is 0 in floats
        order = np.lexsort((-hope, -promise))
        return order[self._open[order]]

    def _objectives(self) -> tuple[Floats, Floats]:
        """Means and deviations with the sign that makes higher better, shape (c, m) each."""
        means, deviations = [], []
        for objective in self._task.goals.objectives:
            mean, deviation = self._figure(objective.name)
            means.append(objective.read({objective.name: 1.0}) * mean)
            deviations.append(deviation)
        return np.array(means).T, np.array(deviations).T

    def _figure(self, name: str) -> tuple[Floats, Floats]:
        if name in self._known:
            return self._known[name], np.zeros(len(self._points))
        learnt = self._learnt[name]
        return learnt.mean, learnt.deviation

    def _feasible(self) -> Floats:
        """The chance to end well and to keep the constraints on learnt figures."""
        chance = np.ones(len(self._points))
        if ENDS_WELL in self._learnt:
            learnt = self._learnt[ENDS_WELL]
            chance = normal_cdf((learnt.mean - 0.5) / np.maximum(learnt.deviation, 1e-9))
        for constraint in self._task.goals.constraints:
            if constraint.name in self._learnt:
                learnt = self._learnt[constraint.name]
                mean, deviation = learnt.mean, np.maximum(learnt.deviation, 1e-12 * learnt.scale)
                if constraint.upper is not None:
                    chance = chance * normal_cdf((constraint.upper - mean) / deviation)
                if constraint.lower is not None:
                    chance = chance * normal_cdf((mean - constraint.lower) / deviation)
        return chance
