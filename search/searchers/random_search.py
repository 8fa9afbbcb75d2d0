"""Random search: the baseline that every other method has to beat."""

from typing import Generic

import numpy as np

from search.searchers.base import Exhausted, Observation, P, Searcher, Task
from space import Infeasible


class RandomSearcher(Searcher[P], Generic[P]):
    """Points drawn by the space's own sampling, whatever was observed."""

    def __init__(self, task: Task[P], seed: int) -> None:
        super().__init__(task, seed)
        self._told: set[object] = set()

    def ask(self, attempt: int = 0) -> P:
        """The point of the stream of this seed, of this many known points and this attempt.

        Raises:
            Exhausted: the space finds no feasible point.
        """
        rng = np.random.default_rng([self.seed, len(self._told), attempt])
        try:
            return self.task.space.sample(rng)
        except Infeasible as error:
            raise Exhausted(str(error)) from None

    def tell(self, point: P, observation: Observation) -> None:
        """Count the point; its value does not matter to random search."""
        self._told.add(self.task.space.key(point))
