"""Points that the model may propose, and their encodings, which are computed once."""

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.base import Exhausted, P, Task
from search.searchers.neighbourhood import Neighbourhood
from search.searchers.random_search import feasible_sample
from search.searchers.surrogate.fitting import Hyperparameters, usual

Floats = NDArray[np.float64]

_CHUNK = 32
_FIRST = 32  # chunks that are there from the start
_MOST = 56
_LEAST_SPREAD = 0.2  # of the range of a column, so that rare values are not miles away


class Candidates(Generic[P]):
    """A reservoir of random points that is slowly renewed, and neighbours of good points.

    Args:
        task: with the space.
        seed: of the random points.
    """

    def __init__(self, task: Task[P], seed: int) -> None:
        self._task = task
        self._seed = seed
        self._chunks: dict[int, list[P]] = {}
        self._encoded: dict[Hashable, Floats] = {}
        self._neighbourhood = Neighbourhood(task)

    def drawn(self, age: int) -> Iterator[P]:
        """The random points at an age; with every year some come and later some go."""
        last = _FIRST + age
        first = max(0, last - _MOST)
        for old in [number for number in self._chunks if first > number >= _FIRST]:
            del self._chunks[old]
        for number in range(first, last):
            yield from self._chunk(number)

    def around(self, points: Iterable[P]) -> Iterator[P]:
        """The neighbours of points."""
        for point in points:
            yield from self._neighbourhood.around(point)

    def encode(self, points: Iterable[P]) -> Floats:
        """The encodings, shape (n, d): every column of about unit spread over the space."""
        center, spread = self._scaling
        rows = [self._raw(point) for point in points]
        scaled: Floats = (np.array(rows).reshape(len(rows), len(center)) - center) / spread
        return scaled

    @cached_property
    def usual(self) -> Hyperparameters:
        """What is assumed of a figure before anything of it was seen."""
        first = np.array([self._raw(point) for point in self.drawn(0)])
        return usual(first.shape[1], int((np.ptp(first, axis=0) > 0).sum()))

    @cached_property
    def _scaling(self) -> tuple[Floats, Floats]:
        first = np.array([self._raw(point) for point in self.drawn(0)])
        reach = np.ptp(first, axis=0)
        spread = np.maximum(first.std(axis=0), _LEAST_SPREAD * reach)
        return first.mean(axis=0), np.where(reach > 0, spread, 1.0)

    def _chunk(self, number: int) -> list[P]:
        if number not in self._chunks:
            rng = np.random.default_rng([self._seed, number, 2])
            try:
                self._chunks[number] = [feasible_sample(self._task, rng) for _ in range(_CHUNK)]
            except Exhausted:
                self._chunks[number] = []
        return self._chunks[number]

    def _raw(self, point: P) -> Floats:
        key = self._task.space.key(point)
        if key not in self._encoded:
            self._encoded[key] = np.array(self._task.space.encode(point), float)
        return self._encoded[key]
