"""Pareto fronts of arrays of objectives, the order within them and their volume.

Higher is better in every column.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def dominates(one: ArrayLike, other: ArrayLike) -> bool:
    """Whether `one` is nowhere worse than `other` and better somewhere; both of shape (m,)."""
    first, second = np.asarray(one, float), np.asarray(other, float)
    return bool(np.all(first >= second) and np.any(first > second))


def nondominated_ranks(
    vectors: ArrayLike, violations: ArrayLike | None = None, most: int | None = None
) -> NDArray[np.int64]:
    """The front of every row: 0 for what nothing dominates, 1 for what only front 0 dominates.

    Feasible rows dominate infeasible ones; among infeasible rows the smaller violation dominates
    (Deb's rule).

    Args:
        vectors: shape (n, m), higher is better.
        violations: shape (n,), 0 for feasible rows; None when all are feasible.
        most: when that many feasible rows have a front, the others share the next one.

    Returns:
        Shape (n,).
    """
    rows = np.asarray(vectors, float)
    ranks = np.zeros(len(rows), np.int64)
    off = np.zeros(len(rows)) if violations is None else np.asarray(violations, float)
    feasible = np.flatnonzero(off <= 0)
    last = _peel(rows, feasible, ranks, len(rows) if most is None else most)
    broken = np.flatnonzero(off > 0)
    _, place = np.unique(off[broken], return_inverse=True)
    ranks[broken] = last + place
    return ranks


def _peel(rows: Floats, members: NDArray[Any], ranks: NDArray[np.int64], most: int) -> int:
    """Write the fronts of the members; returns how many fronts there are."""
    if rows.ndim == 2 and rows.shape[1] == 1:
        values, place = np.unique(-rows[members, 0], return_inverse=True)
        ranks[members] = place
        return len(values)
    front = 0
    enough = len(members) - most
    while len(members) > max(enough, 0):
        first = members[nondominated(rows[members])]
        ranks[first] = front
        members = members[~np.isin(members, first)]
        front += 1
    ranks[members] = front
    return front + bool(len(members))


def nondominated(vectors: ArrayLike) -> NDArray[np.bool_]:
    """Which rows nothing dominates, shape (n,): the first front alone, without the others."""
    rows = np.asarray(vectors, float)
    order = np.lexsort(-rows.T[::-1])  # whoever dominates a row comes before it
    if rows.ndim == 2 and rows.shape[1] == 2 and len(rows):
        return _nondominated_pairs(rows, order)
    kept: list[int] = []
    for index in order:
        front = rows[kept]  # each row is compared with the front so far
        worse = (front >= rows[index]).all(1) & (front > rows[index]).any(1)
        if not worse.any():
            kept.append(int(index))
    found = np.zeros(len(rows), bool)
    found[kept] = True
    return found


def _nondominated_pairs(rows: Floats, order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """The same of two objectives, without a loop over rows: fronts of a whole store have many."""
    first, second = rows[order].T
    starts = np.r_[True, first[1:] != first[:-1]]  # of runs that are equal in the first
    run = np.cumsum(starts) - 1
    best = second[starts]  # of each run, as it is sorted
    keeps = np.r_[True, best[1:] > np.maximum.accumulate(best)[:-1]]  # what is better in the first
    found = np.zeros(len(rows), bool)
    found[order] = (second == best[run]) & keeps[run]
    return found


def crowding_distances(vectors: ArrayLike) -> Floats:
    """NSGA-II's crowding distance of every row of one front, shape (n,); the ends are infinite.

    Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II" (2002).
    """
    rows = np.asarray(vectors, float)
    distances = np.zeros(len(rows))
    for column in rows.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distances[order[[0, -1]]] = np.inf
        if spread > 0 and len(rows) > 2:
            distances[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distances


def best_first(
    vectors: ArrayLike, violations: ArrayLike | None = None, most: int | None = None
) -> NDArray[np.intp]:
    """The order in which a search prefers results: the indices of the rows, the best first.

    Feasible before infeasible, then front by front; within a front of several objectives the
    least crowded first (NSGA-II); among equals the one that stands first.

    Args:
        vectors: shape (n, m), higher is better.
        violations: shape (n,), 0 for feasible rows; None when all are feasible.
        most: so many are enough; then the order of the worse ones is not worked out.

    Returns:
        Shape (n,), or (most,) where that is less.
    """
    rows = np.asarray(vectors, float)
    ranks = nondominated_ranks(rows, violations, most)
    crowding = np.zeros(len(ranks))
    if rows.ndim == 2 and rows.shape[1] > 1:
        for rank in np.unique(ranks):
            front = np.flatnonzero(ranks == rank)
            crowding[front] = crowding_distances(rows[front])
    return np.lexsort((-crowding, ranks))[:most]


class Fronts:
    """The fronts of a growing set of vectors, as `nondominated_ranks` would give them.

    Source: Li et al., "Efficient non-domination level update method for steady-state evolutionary
    multiobjective optimization" (2017).

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


def hypervolume(vectors: ArrayLike, reference: ArrayLike) -> float:
    """The volume between the rows and the reference point; higher is better in every column.

    Computed by slicing along the last objective (Zitzler's HSO): exact, O(n log n) for two
    objectives, and fast enough for fronts of a few hundred rows in three or four.

    Args:
        vectors: shape (n, m); rows that are not above the reference everywhere add nothing.
        reference: shape (m,), the worst point that still counts.

    Raises:
        ValueError: the widths differ.
    """
    worst = np.asarray(reference, float)
    rows = np.asarray(vectors, float).reshape(-1, len(worst)) - worst
    return _volume(rows[(rows > 0).all(1)])


def _volume(rows: Floats) -> float:
    """Of rows above the origin."""
    if not len(rows):
        return 0.0
    if rows.shape[1] == 1:
        return float(rows.max())
    rows = rows[nondominated(rows)]
    rows = rows[np.argsort(-rows[:, -1], kind="stable")]
    floors = np.append(rows[1:, -1], 0.0)
    if rows.shape[1] == 2:
        widths = np.maximum.accumulate(rows[:, 0])
        return float(np.sum(widths * (rows[:, 1] - floors)))
    return float(
        sum(
            _volume(rows[: index + 1, :-1]) * (height - floor)
            for index, (height, floor) in enumerate(zip(rows[:, -1], floors, strict=True))
            if height > floor
        )
    )
