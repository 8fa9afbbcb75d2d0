"""What of a long history Optuna is shown: the best points and the latest."""

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Generic

import numpy as np

from search.objectives import crowding_distances, nondominated_ranks
from search.options import whole_number
from search.searchers.base import P, Task
from search.searchers.history import Entry, History


def best_first(task: Task[P], entries: Sequence[Entry[P]]) -> list[Entry[P]]:
    """Judged entries by violation, front and, within a front, crowding distance."""
    if not entries:
        return []
    points = [(entry.point, entry.observation.values) for entry in entries]
    vectors = np.array([task.vector(*point) for point in points])
    ranks = nondominated_ranks(vectors, [task.violation(*point) for point in points])
    crowding = np.zeros(len(entries))
    if vectors.shape[1] > 1:
        for rank in np.unique(ranks):
            crowding[ranks == rank] = crowding_distances(vectors[ranks == rank])
    return [entries[index] for index in np.lexsort((-crowding, ranks))]


class LookBack(Generic[P]):
    """A window on a history of at most `limit` points.

    An eighth to a quarter of it is for the best complete points: they are sorted out only now and
    then, since that is dear for several objectives. The rest is for the latest points.
    """

    def __init__(self, task: Task[P], limit: int) -> None:
        self._task = task
        self._limit = whole_number("look_back", limit, 20)
        self._best: dict[Hashable, Entry[P]] = {}

    def tell(self, entry: Entry[P]) -> None:
        """Take note of an entry that is new or was renewed."""
        key = self._task.space.key(entry.point)
        self._best.pop(key, None)
        observation = entry.observation
        if observation.outcome != "complete":
            return
        if self._task.judged(entry.point, observation.values):
            self._best[key] = entry
        if len(self._best) > self._limit // 4:
            kept = best_first(self._task, list(self._best.values()))[: max(1, self._limit // 8)]
            self._best = {self._task.space.key(entry.point): entry for entry in kept}

    def best(self, count: int) -> list[P]:
        """About the best points, best first."""
        entries = best_first(self._task, list(self._best.values()))
        return [entry.point for entry in entries[:count]]

    def window(self, history: History[P]) -> list[Entry[P]]:
        """The entries that are shown, in the order in which their points were told."""
        if len(history) <= self._limit:
            return list(history)
        best = {entry.number: entry for entry in self._best.values()}
        others = (entry for entry in reversed(history) if entry.number not in best)
        latest = islice(others, self._limit - len(best))
        return sorted([*best.values(), *latest], key=lambda entry: entry.number)
