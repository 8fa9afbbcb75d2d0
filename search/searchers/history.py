"""What a searcher was told, in order."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic

from search.searchers.base import Observation, P, Task
from search.trial_states import EVALUATED, TrialState


@dataclass(frozen=True, slots=True)
class Entry(Generic[P]):
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
        self._entries: dict[Hashable, Entry[P]] = {}
        self.ended = 0
        """How many points have ended, in whatever way."""

    def tell(self, point: P, observation: Observation) -> Entry[P]:
        """Take note of an observation; returns the point's entry."""
        key = self._task.space.key(point)
        before = self._entries.get(key)
        number = len(self._entries) if before is None else before.number
        entry = Entry(number, point, observation)
        self._entries[key] = entry
        was_ended = before is not None and before.observation.state != TrialState.RUNNING
        self.ended += (observation.state != TrialState.RUNNING) - was_ended
        return entry

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry[P]]:
        return iter(self._entries.values())

    def __reversed__(self) -> Iterator[Entry[P]]:
        return reversed(self._entries.values())

    def __contains__(self, point: P) -> bool:
        return self._task.space.key(point) in self._entries

    def get(self, point: P) -> Entry[P] | None:
        """The entry of a point, None when it was never told."""
        return self._entries.get(self._task.space.key(point))

    def judged(self) -> list[Entry[P]]:
        """The complete and pruned points whose values have every objective."""
        return [
            entry
            for entry in self
            if entry.observation.state in EVALUATED
            and self._task.judged(entry.point, entry.observation.values)
        ]
