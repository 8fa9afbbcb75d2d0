"""Any space through its encoding: Optuna suggests a vector, the nearest new point is proposed."""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
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

_REMEMBERED = 128
"""Points whose neighbours are kept; they are asked for again and again while a point is best."""

Floats = NDArray[np.float64]


class EncodedCoding(Coding[P], Generic[P]):
    """The columns of the encoding, each a parameter between the lowest and the highest seen.

    A suggestion is snapped to a point near it: from the nearest of the candidates (random points,
    more of them as the study grows, and the neighbours of its best points) by moves that lead
    nearer. Proposed is the nearest on the way that the study does not have and whose known figures
    break no constraint.

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
        self._near = lru_cache(_REMEMBERED)(self._find_near)
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
            self._widen(point)
            if self._task.feasible(point):
                self._candidates.setdefault(self._task.space.key(point), point)

    def tell(self, point: P) -> None:
        """Widen the ranges of the columns to hold the point."""
        self._widen(point)

    def _widen(self, point: P) -> None:
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
        starts = [(each, self._encode(each)) for each in self._candidates.values()]
        starts += [pair for point in best for pair in self._near(point)]
        found = self._descend(starts, np.array(wanted))
        if found is None:
            return self._task.space.sample(np.random.default_rng([*seed, 4]))
        return found

    def _descend(self, starts: Sequence[tuple[P, Floats]], wanted: Floats) -> P | None:
        """The nearest new point on the way from the nearest start to what is wanted."""
        width = np.where(self._high > self._low, self._high - self._low, 1.0)
        found: list[tuple[float, P]] = []
        nearest, around = math.inf, starts
        while around:
            rows = np.array([row for _, row in around])
            gaps = (((rows - wanted) / width) ** 2).sum(1)
            order = np.argsort(gaps, kind="stable")
            new = next((i for i in order if not self._known(around[i][0])), None)
            found += [] if new is None else [(float(gaps[new]), around[new][0])]
            if gaps[order[0]] >= nearest:
                break
            nearest, around = float(gaps[order[0]]), self._near(around[order[0]][0])
        return min(found, key=lambda pair: pair[0])[1] if found else None

    def _find_near(self, point: P) -> list[tuple[P, Floats]]:
        """The neighbours that may be proposed, each with its encoding."""
        near = [each for each in self._task.space.neighbours(point) if self._task.feasible(each)]
        return [(each, np.asarray(self._task.space.encode(each), float)) for each in near]

    def _columns(self) -> list[tuple[str, float, float]]:
        ranges = zip(self._low.tolist(), self._high.tolist(), strict=True)
        return [(f"column {index:04}", low, high) for index, (low, high) in enumerate(ranges)]

    def _encode(self, point: P) -> Floats:
        key = self._task.space.key(point)
        if key not in self._encodings:
            self._encodings[key] = np.asarray(self._task.space.encode(point), float)
        return self._encodings[key]
