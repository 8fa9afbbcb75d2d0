"""The neighbours of points that may be proposed, remembered since they are dear to list."""

from collections.abc import Hashable
from typing import Generic

from search.searchers.base import P, Task


class Neighbourhood(Generic[P]):
    """Neighbours whose known figures keep the constraints.

    Args:
        task: with the space.
        remembered: of that many points the neighbours are kept in memory, the last ones used.
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
