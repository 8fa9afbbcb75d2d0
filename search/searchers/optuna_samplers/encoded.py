"""Any space through its encoding: Optuna suggests a vector, the nearest new point is proposed."""

from collections.abc import Callable, Hashable, Sequence
from typing import Generic

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution

from search.searchers.base import P, Task
from search.searchers.optuna_samplers.coding import Coding, Parameters
from space import Infeasible

_FIRST, _PER_POINT, _MOST = 256, 4, 4096
"""Candidates that are drawn for an empty study, for each point that was told, and at most."""

Floats = NDArray[np.float64]


class EncodedCoding(Coding[P], Generic[P]):
    """The columns of the encoding, each a parameter between the lowest and the highest seen.

    A suggestion is snapped to the nearest of the candidates: random points, more of them as the
    study grows, and the neighbours of its best points. Points that the study has, and points whose
    known figures break a constraint, are no candidates.

    Args:
        task: what is searched.
        seed: of the random candidates.
        known: whether the study has a point.
    """

    def __init__(self, task: Task[P], seed: int, known: Callable[[P], bool]) -> None:
        self._task = task
        self._known = known
        self._rng = np.random.default_rng([seed, 3])
        self._drawn = 0
        self._candidates: dict[Hashable, P] = {}
        self._neighbours: dict[Hashable, Sequence[P]] = {}
        self._encodings: dict[Hashable, Floats] = {}
        self._low: Floats = np.array([])
        self._high: Floats = np.array([])

    def grow(self, told: int) -> None:
        """Draw candidates until there are as many as the study needs."""
        for _ in range(self._drawn, min(_FIRST + _PER_POINT * told, _MOST)):
            self._drawn += 1
            try:
                point = self._task.space.sample(self._rng)
            except Infeasible:
                continue
            self.tell(point)
            if self._task.feasible(point):
                self._candidates.setdefault(self._task.space.key(point), point)

    def tell(self, point: P) -> None:
        """Widen the ranges of the columns to hold the point."""
        row = self._encode(point)
        low = np.minimum(self._low, row) if len(self._low) else row
        high = np.maximum(self._high, row) if len(self._high) else row
        if not (np.array_equal(low, self._low) and np.array_equal(high, self._high)):
            self._low, self._high = low, high
            self.version += 1

    def parameters(self, point: P) -> Parameters:
        """One parameter for each column."""
        row = self._encode(point)
        return {
            name: (float(value), FloatDistribution(low, high))
            for (name, low, high), value in zip(self._columns(), row, strict=True)
        }

    def point(self, trial: optuna.Trial, best: Sequence[P], seed: Sequence[int]) -> P:
        """The candidate nearest to the suggestion; a random point before there is a model."""
        if not trial.relative_params:
            return self._task.space.sample(np.random.default_rng([*seed, 4]))
        wanted = [trial.suggest_float(name, low, high) for name, low, high in self._columns()]
        points = [*self._candidates.values(), *self._around(best)]
        points = [point for point in points if not self._known(point)]
        if not points:
            return self._task.space.sample(np.random.default_rng([*seed, 4]))
        width = np.where(self._high > self._low, self._high - self._low, 1.0)
        rows = np.array([self._encode(point) for point in points])
        return points[int(np.argmin((((rows - wanted) / width) ** 2).sum(1)))]

    def _columns(self) -> list[tuple[str, float, float]]:
        ranges = zip(self._low.tolist(), self._high.tolist(), strict=True)
        return [(f"column {index:04}", low, high) for index, (low, high) in enumerate(ranges)]

    def _around(self, best: Sequence[P]) -> list[P]:
        found: list[P] = []
        for point in best:
            key = self._task.space.key(point)
            if key not in self._neighbours:
                near = self._task.space.neighbours(point)
                self._neighbours[key] = [each for each in near if self._task.feasible(each)]
            found += self._neighbours[key]
        return found

    def _encode(self, point: P) -> Floats:
        key = self._task.space.key(point)
        if key not in self._encodings:
            self._encodings[key] = np.asarray(self._task.space.encode(point), float)
        return self._encodings[key]
