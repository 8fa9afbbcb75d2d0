"""What a searcher was told: in order, ranked, and as a window of the best and the latest."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.objectives import best_first
from search.searchers.extrapolation import final_estimates
from search.searchers.searcher import Observation, P, Task
from search.trial_states import EVALUATED, TrialState

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RankedPoint(Generic[P]):
    """A point and the latest observation of it.

    Attributes:
        number: how many other points were told before it was first told.
    """

    number: int
    point: P
    observation: Observation


class History(Generic[P]):
    """Points in the order in which they were first told, each with its latest observation."""

    def __init__(self, task: Task[P]) -> None:
        self._task = task
        self._entries: dict[Hashable, RankedPoint[P]] = {}
        self.ended = 0
        """How many points have ended, in whatever way."""

    def tell(self, point: P, observation: Observation) -> RankedPoint[P]:
        """Take note of an observation; returns the point's entry."""
        key = self._task.space.key(point)
        before = self._entries.get(key)
        number = len(self._entries) if before is None else before.number
        entry = RankedPoint(number, point, observation)
        self._entries[key] = entry
        was_ended = before is not None and before.observation.state != TrialState.RUNNING
        self.ended += (observation.state != TrialState.RUNNING) - was_ended
        return entry

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[RankedPoint[P]]:
        return iter(self._entries.values())

    def __reversed__(self) -> Iterator[RankedPoint[P]]:
        return reversed(self._entries.values())

    def __contains__(self, point: P) -> bool:
        return self._task.space.key(point) in self._entries

    def get(self, point: P) -> RankedPoint[P] | None:
        """The entry of a point, None when it was never told."""
        return self._entries.get(self._task.space.key(point))


class Ranking(Generic[P]):
    """Points in order: feasible before infeasible, then by front, then the less crowded first.

    Complete points are judged by their metrics, others by those expected at the highest fidelity.
    Points that cannot be judged, such as failed ones, have no place.

    Args:
        task: whose objectives order the points.
        entries: of points that have ended, in any order.

    Attributes:
        entries: the points that can be judged, in the order in which they were told.
        vectors: their objectives, shape (n, m).
        violations: shape (n,).
    """

    def __init__(self, task: Task[P], entries: Sequence[RankedPoint[P]]) -> None:
        told = sorted(entries, key=lambda entry: entry.number)
        ended = [e for e in told if e.observation.state in EVALUATED]
        estimates = {
            name: final_estimates([e.observation for e in ended], name, task.fidelities).mean
            for name in task.objectives.names
        }
        self.entries: list[RankedPoint[P]] = []
        vectors: list[tuple[float, ...]] = []
        violations: list[float] = []
        for row, entry in enumerate(ended):
            metrics = {n: float(v[row]) for n, v in estimates.items() if not np.isnan(v[row])}
            if task.evaluated(entry.point, metrics):
                self.entries.append(entry)
                vectors.append(task.vector(entry.point, metrics))
                violations.append(task.violation(entry.point, metrics))
        self.vectors: Floats = np.array(vectors).reshape(len(vectors), len(task.objectives))
        self.violations: Floats = np.array(violations)

    def best_first(self, most: int | None = None) -> list[RankedPoint[P]]:
        """The points, the best first; among equals the one that was told first.

        Args:
            most: so many points are enough; then the order of the worse ones is not worked out.
        """
        return [self.entries[place] for place in best_first(self.vectors, self.violations, most)]


class HistoryWindow(Generic[P]):
    """At most `limit` points of a history: the best and the latest.

    An eighth to a quarter of it is for the best complete points: they are sorted out only now and
    then, since that is dear for several objectives. The rest is for the latest points.
    """

    def __init__(self, task: Task[P], limit: int) -> None:
        self._task = task
        self._limit = limit
        self._best: dict[Hashable, RankedPoint[P]] = {}

    def tell(self, entry: RankedPoint[P]) -> None:
        """Take note of an entry that is new or was renewed."""
        key = self._task.space.key(entry.point)
        self._best.pop(key, None)
        observation = entry.observation
        if observation.state != TrialState.COMPLETE:
            return
        if self._task.evaluated(entry.point, observation.values):
            self._best[key] = entry
        if len(self._best) > self._limit // 4:
            kept = Ranking(self._task, list(self._best.values())).best_first()
            kept = kept[: max(1, self._limit // 8)]
            self._best = {self._task.space.key(entry.point): entry for entry in kept}

    def best(self, count: int) -> list[P]:
        """About the best points, best first."""
        entries = Ranking(self._task, list(self._best.values())).best_first()
        return [entry.point for entry in entries[:count]]

    def entries(self, history: History[P]) -> list[RankedPoint[P]]:
        """The entries that are shown, in the order in which their points were told."""
        if len(history) <= self._limit:
            return list(history)
        best = {entry.number: entry for entry in self._best.values()}
        others = (entry for entry in reversed(history) if entry.number not in best)
        latest = islice(others, self._limit - len(best))
        return sorted([*best.values(), *latest], key=lambda entry: entry.number)
