"""What of a long history Optuna is shown: the best points and the latest."""

from collections.abc import Hashable, Sequence
from itertools import islice
from typing import Generic

from search.objectives import best_first
from search.searchers.base import P, Task
from search.searchers.history import Entry, History
from search.trial_states import TrialState


def _best_first(task: Task[P], entries: Sequence[Entry[P]]) -> list[Entry[P]]:
    if not entries:
        return []
    points = [(entry.point, entry.observation.values) for entry in entries]
    vectors = [task.vector(*point) for point in points]
    order = best_first(vectors, [task.violation(*point) for point in points])
    return [entries[index] for index in order]


class LookBack(Generic[P]):
    """A window on a history of at most `limit` points.

    An eighth to a quarter of it is for the best complete points: they are sorted out only now and
    then, since that is dear for several objectives. The rest is for the latest points.
    """

    def __init__(self, task: Task[P], limit: int) -> None:
        self._task = task
        self._limit = limit
        self._best: dict[Hashable, Entry[P]] = {}

    def tell(self, entry: Entry[P]) -> None:
        """Take note of an entry that is new or was renewed."""
        key = self._task.space.key(entry.point)
        self._best.pop(key, None)
        observation = entry.observation
        if observation.state != TrialState.COMPLETE:
            return
        if self._task.judged(entry.point, observation.values):
            self._best[key] = entry
        if len(self._best) > self._limit // 4:
            kept = _best_first(self._task, list(self._best.values()))[: max(1, self._limit // 8)]
            self._best = {self._task.space.key(entry.point): entry for entry in kept}

    def best(self, count: int) -> list[P]:
        """About the best points, best first."""
        entries = _best_first(self._task, list(self._best.values()))
        return [entry.point for entry in entries[:count]]

    def window(self, history: History[P]) -> list[Entry[P]]:
        """The entries that are shown, in the order in which their points were told."""
        if len(history) <= self._limit:
            return list(history)
        best = {entry.number: entry for entry in self._best.values()}
        others = (entry for entry in reversed(history) if entry.number not in best)
        latest = islice(others, self._limit - len(best))
        return sorted([*best.values(), *latest], key=lambda entry: entry.number)
