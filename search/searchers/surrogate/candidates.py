"""Points that the model may propose, and their encodings, which are computed once."""

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.random_search import feasible_neighbours, feasible_sample
from search.searchers.searcher import Exhausted, P, Task
from search.searchers.surrogate.gaussian_process import Hyperparameters, prior_mode
from space import Infeasible

Floats = NDArray[np.float64]

_CHUNK = 32
_FIRST = 32  # chunks that are there from the start
_MOST = 56
_LEAST_SPREAD = 0.2  # of the range of a column, so that rare values are not miles away


class Candidates(Generic[P]):
    """A reservoir of random points that is slowly renewed, and neighbours of good points.

    Where the constraints leave next to nothing of the space the reservoir is small, or empty.

    Args:
        task: with the space.
        seed: of the random points.
    """

    def __init__(self, task: Task[P], seed: int) -> None:
        self._task = task
        self._seed = seed
        self._chunks: dict[int, list[P]] = {}
        self._encoded: dict[Hashable, Floats] = {}
        self._neighbours = feasible_neighbours(task)

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
            yield from self._neighbours(point)

    def encode(self, points: Iterable[P]) -> Floats:
        """The encodings, shape (n, d): every column of about unit spread over the space."""
        center, spread = self._scaling
        rows = [self._raw(point) for point in points]
        scaled: Floats = (np.array(rows).reshape(len(rows), len(center)) - center) / spread
        return scaled

    @cached_property
    def prior_mode(self) -> Hyperparameters:
        """What is assumed of a metric before anything of it was seen."""
        rows = self._sampled_encodings
        return prior_mode(rows.shape[1], int((np.ptp(rows, axis=0) > 0).sum()))

    @cached_property
    def _scaling(self) -> tuple[Floats, Floats]:
        rows = self._sampled_encodings
        reach = np.ptp(rows, axis=0)
        spread = np.maximum(rows.std(axis=0), _LEAST_SPREAD * reach)
        return rows.mean(axis=0), np.where(reach > 0, spread, 1.0)

    @cached_property
    def _sampled_encodings(self) -> Floats:
        """The raw encodings that tell how wide the space is, shape (n, d).

        Too few feasible points do not tell; then those count too that break a constraint. What
        was told must not count: the scale would depend on when it was first asked for.

        Raises:
            Exhausted: the space finds no point at all.
        """
        points = list(self.drawn(0))
        if len(points) < _CHUNK:
            points = list(self._whatever_it_breaks())
        if not points:
            raise Exhausted("the space finds no point")
        return np.array([self._raw(point) for point in points])

    def _whatever_it_breaks(self) -> Iterator[P]:
        rng = np.random.default_rng([self._seed, 0, 4])
        for _ in range(_FIRST * _CHUNK):
            try:
                yield self._task.space.sample(rng)
            except Infeasible:
                continue

    def _chunk(self, number: int) -> list[P]:
        if number not in self._chunks:
            rng = np.random.default_rng([self._seed, number, 2])
            self._chunks[number] = list(self._sampled(rng))
        return self._chunks[number]

    def _sampled(self, rng: np.random.Generator) -> Iterator[P]:
        """The points of a chunk; fewer where a search for one was in vain, as that takes long."""
        try:
            for _ in range(_CHUNK):
                yield feasible_sample(self._task, rng)
        except Exhausted:
            return

    def _raw(self, point: P) -> Floats:
        key = self._task.space.key(point)
        if key not in self._encoded:
            self._encoded[key] = np.array(self._task.space.encode(point), float)
        return self._encoded[key]
