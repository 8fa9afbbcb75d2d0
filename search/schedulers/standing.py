"""Where a result stands among others, by one objective or by several."""

from abc import ABC, abstractmethod
from bisect import bisect_left, insort

from search.objectives import Goals, Values

Standing = tuple[float, float]
"""The violation, and for a feasible result the negative objective: the smaller is the better."""


def standing(goals: Goals, values: Values) -> Standing:
    """The standing of a result by the first objective: infeasible ones last, by violation."""
    violation = goals.violation(values)
    return (violation, 0.0) if violation > 0 else (0.0, -goals.vector(values)[0])


class Places(ABC):
    """Results that are ranked, more and more of them.

    Args:
        goals: by which results are compared.
    """

    def __init__(self, goals: Goals) -> None:
        self.goals = goals

    @abstractmethod
    def __len__(self) -> int:
        """How many results there are."""

    @abstractmethod
    def add(self, values: Values) -> int:
        """Add a result that has every objective.

        Returns:
            Its place from 1: one more than the results that come strictly before it.
        """


class SortedPlaces(Places):
    """Places by one objective; adding to n results takes O(log n) comparisons."""

    def __init__(self, goals: Goals) -> None:
        super().__init__(goals)
        self._sorted: list[Standing] = []

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, values: Values) -> int:
        """Add a result; equal ones share a place."""
        one = standing(self.goals, values)
        before = bisect_left(self._sorted, one)
        insort(self._sorted, one)
        return before + 1
