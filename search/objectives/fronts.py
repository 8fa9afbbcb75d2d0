"""Pareto fronts of a growing set of vectors, kept up to date; higher is better in every column.

Source: Li et al., "Efficient non-domination level update method for steady-state evolutionary
multiobjective optimization" (2017).
"""

import numpy as np

from search.objectives.pareto import Floats


class Fronts:
    """The fronts of everything that was added, as `nondominated_ranks` would give them.

    Args:
        width: how many objectives there are.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._fronts: list[Floats] = []

    def __len__(self) -> int:
        return sum(map(len, self._fronts))

    def rows(self, front: int) -> Floats:
        """The vectors of a front, shape (n, width)."""
        return self._fronts[front]

    def before(self, front: int) -> int:
        """How many vectors are in better fronts."""
        return sum(map(len, self._fronts[:front]))

    def add(self, vector: Floats) -> int:
        """Add a vector of shape (width,); returns its front, from 0."""
        place = self._front_of(vector)
        arriving, front = vector.reshape(1, self._width), place
        while len(arriving):
            if front == len(self._fronts):
                self._fronts.append(arriving)
                break
            there = self._fronts[front]
            pushed = _dominated(there, arriving)
            self._fronts[front] = np.concatenate([there[~pushed], arriving])
            arriving, front = there[pushed], front + 1
        return place

    def _front_of(self, vector: Floats) -> int:
        """The first front in which nothing dominates the vector; before it, every one does."""
        low, high = 0, len(self._fronts)
        while low < high:
            middle = (low + high) // 2
            front = self._fronts[middle]
            if bool(((front >= vector).all(1) & (front > vector).any(1)).any()):
                low = middle + 1
            else:
                high = middle
        return low


def _dominated(rows: Floats, others: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows one of the others dominates, shape (n,)."""
    found = np.zeros(len(rows), bool)
    for other in others:
        found |= (other >= rows).all(1) & (other > rows).any(1)
    return found
