"""No point twice: a searcher around any other that only proposes what the study does not have."""

from collections.abc import Hashable, Iterator
from typing import Generic

import numpy as np

from search.searchers.base import Exhausted, Observation, P, Searcher
from search.searchers.random_search import feasible_sample


class DistinctSearcher(Searcher[P], Generic[P]):
    """Asks the inner searcher; where that repeats itself, falls back step by step.

    The order is: ask again, a new neighbour of what was proposed, a new random point, and at last
    any new neighbour of any known point. Only then is the space exhausted. Points whose known
    figures break a constraint are passed over.
    """

    def __init__(self, inner: Searcher[P], *, random_attempts: int = 64) -> None:
        super().__init__(inner.task, inner.seed)
        self.inner = inner
        self.attempts = inner.attempts
        self._random_attempts = random_attempts
        self._known: dict[Hashable, P] = {}

    def ask(self, attempt: int = 0) -> P:
        """A point that was never told, and that no constraint on known figures forbids.

        Raises:
            Exhausted: every point that can be reached is known.
        """
        for point in self._candidates(attempt):
            if self.task.space.key(point) not in self._known and self.task.feasible(point):
                return point
        if not self._known:
            raise Exhausted("no point of the space was found that keeps the constraints")
        raise Exhausted(f"all {len(self._known)} points that can be reached are in the study")

    def tell(self, point: P, observation: Observation) -> None:
        """Remember the point, and pass the observation on."""
        self._known.setdefault(self.task.space.key(point), point)
        self.inner.tell(point, observation)

    def _candidates(self, first: int) -> Iterator[P]:
        rng = np.random.default_rng([self.seed, len(self._known), first, 1])
        proposed: dict[Hashable, P] = {}
        for attempt in range(first, first + self.attempts):
            try:
                point = self.inner.ask(attempt)
            except Exhausted:
                break
            yield point
            proposed.setdefault(self.task.space.key(point), point)
        for point in proposed.values():
            neighbours = list(self.task.space.neighbours(point))
            yield from (neighbours[i] for i in rng.permutation(len(neighbours)))
        for _ in range(self._random_attempts):
            try:
                yield feasible_sample(self.task, rng)
            except Exhausted:
                if self._known:
                    break  # whose neighbours are found sooner than another random point
        for point in list(self._known.values()):
            yield from self.task.space.neighbours(point)
