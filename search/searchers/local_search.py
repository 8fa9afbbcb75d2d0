"""Local search: the neighbours of the best point, then those of the next best."""

from collections.abc import Hashable, Iterator
from typing import Any, Generic

import numpy as np
from pydantic import Field, StrictInt

from search.options import Options as BaseOptions
from search.searchers.random_search import feasible_neighbours, feasible_sample
from search.searchers.ranked_history import History, RankedPoint, Ranking
from search.searchers.searcher import Observation, P, Searcher, Task
from search.trial_states import TrialState

_MOST = 512
"""Points in order; whoever has spent that many has other worries."""


class LocalSearcher(Searcher[P], Generic[P]):
    """Proposes a new neighbour of the best point that still has one.

    When a point improves on the best, the search goes on from there at once; when all neighbours
    of the best are known, from the next best; when every point is spent, at random. With several
    objectives the points of the first front come first, the loneliest ahead: a Pareto local
    search. Source: White et al., "Exploring the Loss Landscape in Neural Architecture Search"
    (2021).
    """

    class Options(BaseOptions):
        """Options of the local search.

        Attributes:
            startup: that many points are random before.
        """

        startup: StrictInt = Field(default=12, ge=1, le=10_000_000)

    options: Options

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._history: History[P] = History(task)
        self._neighbours = feasible_neighbours(task)
        self._spent: set[Hashable] = set()
        self._snapshot: list[RankedPoint[P]] = []
        self._order: list[RankedPoint[P]] | None = None
        self._news = 0

    def ask(self, attempt: int = 0) -> P:
        """A neighbour of the best point that has a new one; with attempts the others follow."""
        rng = np.random.default_rng([self.seed, len(self._history), self._history.ended])
        if len(self._history) >= self.options.startup:
            for place, point in enumerate(self._unknown_neighbours(rng)):
                if place == attempt:
                    return point
        rng = np.random.default_rng([self.seed, len(self._history), attempt, 1])
        return feasible_sample(self.task, rng)

    def tell(self, point: P, observation: Observation) -> None:
        """Take note; the order of the points is renewed when enough of them have news."""
        before = self._history.get(point)
        self._history.tell(point, observation)
        was_running = before is None or before.observation.state == TrialState.RUNNING
        self._news += not (was_running and observation.state == TrialState.RUNNING)
        if self._news > self._history.ended // 100:  # so that thousands of points stay cheap
            self._snapshot, self._order, self._news = list(self._history), None, 0

    def _ranked(self) -> list[RankedPoint[P]]:
        if self._order is None:
            self._order = Ranking(self.task, self._snapshot).best_first(_MOST)
        return self._order

    def _unknown_neighbours(self, rng: np.random.Generator) -> Iterator[P]:
        for entry in self._ranked():
            key = self.task.space.key(entry.point)
            if key in self._spent:
                continue
            around = self._neighbours(entry.point)
            new = [point for point in around if point not in self._history]
            if not new:
                self._spent.add(key)  # for good: what is known stays known
            yield from (new[i] for i in rng.permutation(len(new)))
