"""Random search: the baseline that every other method has to beat."""

from typing import Generic

import numpy as np

from search.searchers.base import Exhausted, Observation, P, Searcher, SearchSpace
from space import Infeasible


class RandomSearcher(Searcher[P], Generic[P]):
    """Points drawn by the space's own sampling, whatever was observed."""

    def __init__(self, space: SearchSpace[P], seed: int) -> None:
        self._space = space
        self._seed = seed
        self._told: set[str] = set()

    def ask(self, attempt: int = 0) -> P:
        """The point of the stream of this seed, of this many known points and this attempt.

        Raises:
            Exhausted: the space finds no feasible point.
        """
        rng = np.random.default_rng([self._seed, len(self._told), attempt])
        try:
            return self._space.sample(rng)
        except Infeasible as error:
            raise Exhausted(str(error)) from None

    def tell(self, point: P, observation: Observation) -> None:
        """Count the point; its value does not matter to random search."""
        self._told.add(self._space.key(point))
