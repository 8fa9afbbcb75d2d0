"""Points that keep the constraints: random ones, which are random search, and neighbours.

The other searchers begin with the random ones, and fall back on them.
"""

from collections.abc import Hashable
from typing import Any, Generic

import numpy as np

from search.searchers.searcher import Exhausted, Observation, P, Searcher, Task
from space import Infeasible

_TRIES = 1000


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


class Neighbourhood(Generic[P]):
    """Neighbours whose known metrics keep the constraints.

    Args:
        task: with the space.
        remembered: of that many points the neighbours are kept in memory, the last ones used,
            since they take long to list.
    """

    def __init__(self, task: Task[P], remembered: int = 256) -> None:
        self._task = task
        self._remembered = remembered
        self._around: dict[Hashable, list[P]] = {}

    def around(self, point: P) -> list[P]:
        """The neighbours, in the order of the space."""
        key = self._task.space.key(point)
        found = self._around.pop(key, None)
        if found is None:
            found = [n for n in self._task.space.neighbours(point) if self._task.feasible(n)]
        self._around[key] = found  # the last used is at the end
        if len(self._around) > self._remembered:
            del self._around[next(iter(self._around))]
        return found
