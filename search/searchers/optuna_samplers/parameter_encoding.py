"""A point as Optuna's parameters, and a point of the parameters that Optuna suggests."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, Generic

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from search.searchers.searcher import DecisionSpace, Option, P, Task
from space import Infeasible

_FIRST, _PER_POINT, _MOST = 256, 4, 4096
"""Candidates that are drawn for an empty study, for each point that was told, and at most."""

_REMEMBERED = 128
"""Points whose neighbours are kept; they are asked for again and again while a point is best."""

Floats = NDArray[np.float64]

Parameters = dict[str, tuple[Option, BaseDistribution]]
"""The value and the distribution of every parameter, by name."""


class ParameterEncoding(ABC, Generic[P]):
    """How points and parameters belong together."""

    version: int = 0
    """Counts how often the parameters of points that were told have changed."""

    def grow(self, told: int) -> None:
        """Make ready for an ask after that many points were told."""

    def tell(self, point: P) -> None:
        """Take note of a point of the study."""

    @abstractmethod
    def parameters(self, point: P) -> Parameters:
        """The parameters of a point."""

    @abstractmethod
    def point(self, trial: optuna.Trial, best: Sequence[P], seed: Sequence[int]) -> P:
        """The point that a trial suggests.

        Args:
            trial: running in Optuna.
            best: some of the best points of the study.
            seed: of choices that are not Optuna's.

        Raises:
            space.Infeasible: the parameters lead to no point.
        """


def parameter_name(name: str, options: Sequence[Option]) -> str:
    """A name that is unique per option set: Optuna refuses a parameter whose choices change."""
    return f"{name} in {list(options)}"


class DecisionEncoding(ParameterEncoding[P], Generic[P]):
    """The decisions that lead to a point, each a categorical parameter."""

    def __init__(self, space: DecisionSpace[P]) -> None:
        self._space = space

    def parameters(self, point: P) -> Parameters:
        """One parameter for each decision that the point needs."""
        return {
            parameter_name(decision.name, decision.options): (
                decision.value,
                CategoricalDistribution(decision.options),
            )
            for decision in self._space.decisions(point)
        }

    def point(self, trial: optuna.Trial, best: Sequence[P], seed: Sequence[int]) -> P:
        """Walk through the decisions as the trial suggests."""

        def choose(name: str, options: tuple[Any, ...], read: Any) -> Any:
            return trial.suggest_categorical(parameter_name(name, options), options)

        return self._space.walk(choose)


class VectorEncoding(ParameterEncoding[P], Generic[P]):
    """The columns of the encoding, each a parameter between the lowest and the highest seen.

    A suggestion is snapped to a point near it: from the nearest of the candidates (random points,
    more of them as the study grows, and the neighbours of its best points) by moves that lead
    nearer. Proposed is the nearest on the way that the study does not have and whose known metrics
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
        """The neighbours that may be proposed, each with its encoding; far too many to keep all."""
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
