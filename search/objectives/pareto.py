"""Pareto dominance over arrays of objectives; higher is better in every column."""

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
    kept: list[int] = []
    for index in order:
        front = rows[kept]  # each row is compared with the front so far
        worse = (front >= rows[index]).all(1) & (front > rows[index]).any(1)
        if not worse.any():
            kept.append(int(index))
    found = np.zeros(len(rows), bool)
    found[kept] = True
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
