"""Points that keep the constraints: random ones, which are random search, and neighbours.

The other searchers begin with the random ones, and fall back on them.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic

import numpy as np

from search.searchers.searcher import Exhausted, Observation, P, Searcher, Task
from space import Infeasible

_TRIES = 1000
_REMEMBERED = 256


def feasible_sample(task: Task[P], rng: np.random.Generator) -> P:
    """A random point whose known metrics keep the constraints.

    Raises:
        Exhausted: the space finds no point, or none of many keeps them.
    """
    try:
        for _ in range(_TRIES):
            point = task.space.sample(rng)
            if task.feasible(point):
                return point
    except Infeasible as error:
        raise Exhausted(str(error)) from None
    raise Exhausted(f"none of {_TRIES:,} random points keeps the constraints")


class RandomSearcher(Searcher[P], Generic[P]):
    """Points drawn by the space's own sampling, whatever was observed: the baseline to beat."""

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._told: set[object] = set()

    def ask(self, attempt: int = 0) -> P:
        """The point of the stream of this seed, of this many known points and this attempt.

        Raises:
            Exhausted: the space finds no feasible point.
        """
        rng = np.random.default_rng([self.seed, len(self._told), attempt])
        return feasible_sample(self.task, rng)

    def tell(self, point: P, observation: Observation) -> None:
        """Count the point; its value does not matter to random search."""
        self._told.add(self.task.space.key(point))


def feasible_neighbours(task: Task[P]) -> Callable[[P], list[P]]:
    """A function that lists the neighbours of a point whose known metrics keep the constraints.

    They come in the order of the space. Those of the points that were asked for last are
    remembered, since they take long to list.
    """

    @lru_cache(maxsize=_REMEMBERED)
    def around(point: P) -> list[P]:
        return [each for each in task.space.neighbours(point) if task.feasible(each)]

    return around
