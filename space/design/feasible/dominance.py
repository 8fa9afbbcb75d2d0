"""Dominance counting: how much weight lies below many corners in every quantity.

With two quantities, points are cut into parts by the first; a corner takes all parts before its
own from one running sum over the ranks of the second, and asks its own part, which is cut again
until a table holds it. With more, points are halved by the first: a corner in the upper half asks
the lower half about the other quantities alone.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from space.design.feasible.cost_sums import Ints, Sums

_Ranks = npt.NDArray[np.signedinteger[Any]]
_PARTS = 64
_LEAF = 128


def ways_within(points: Sums, corners: Ints) -> Ints:
    """For each corner, the ways of the points that exceed it in no quantity.

    Args:
        points: the sums, with their ways; the ways together stay below 2⁶³.
        corners: (quantities, corners).

    Returns:
        Ways, shape (corners,), exact.
    """
    return _ways(points.costs, points.ways, corners)


def _ways(costs: Ints, ways: Ints, corners: Ints) -> Ints:
    if not len(ways) or not corners.shape[1]:
        return np.zeros(corners.shape[1], np.int64)
    if len(costs) == 0:
        return np.full(corners.shape[1], ways.sum())
    order = np.argsort(costs[0], kind="stable")
    places = np.searchsorted(costs[0, order], corners[0], side="right")
    costs, ways = costs[:, order], ways[order]
    if len(costs) == 1:
        below: Ints = _running(ways)[places]
        return below
    if len(costs) == 2:
        return _two(costs[1], ways, places, corners[1])
    return _halved(costs[1:], ways, places, corners[1:])


def _halved(costs: Ints, ways: Ints, places: _Ranks, corners: Ints) -> Ints:
    """Ways among the first `places` points that exceed the corners in no other quantity."""
    found = np.zeros(len(places), np.int64)
    whole = places >= len(ways)
    found[whole] = _ways(costs, ways, corners[:, whole])
    rest = np.flatnonzero((places > 0) & ~whole)
    if len(ways) <= _LEAF:
        found[rest] = _one_by_one(costs, ways, places[rest], corners[:, rest])
    elif len(rest):
        half = len(ways) // 2
        upper, lower = rest[places[rest] >= half], rest[places[rest] < half]
        found[lower] = _halved(costs[:, :half], ways[:half], places[lower], corners[:, lower])
        found[upper] = _ways(costs[:, :half], ways[:half], corners[:, upper]) + _halved(
            costs[:, half:], ways[half:], places[upper] - half, corners[:, upper]
        )
    return found


def _one_by_one(costs: Ints, ways: Ints, places: _Ranks, corners: Ints) -> Ints:
    found = np.zeros(len(places), np.int64)
    for place, weight in enumerate(ways.tolist()):
        below = (costs[:, place, None] <= corners).all(axis=0)
        found += weight * (below & (place < places))
    return found


def _two(second: Ints, ways: Ints, columns: _Ranks, corners: Ints) -> Ints:
    """Ways among the first `columns` points that are at most as large in the second quantity."""
    order = np.argsort(second, kind="stable")
    rows = np.searchsorted(second[order], corners, side="right")
    size = len(ways)
    # Where one of the two limits leaves every point, the other one decides alone.
    found: Ints = np.where(
        columns == size,
        _running(ways[order])[rows],
        np.where(rows == size, _running(ways)[columns], 0),
    )
    unsettled = np.flatnonzero((columns > 0) & (columns < size) & (rows > 0) & (rows < size))
    if len(unsettled):
        ranks = np.empty(size, np.int64)
        ranks[order] = np.arange(size)
        asked = unsettled[np.argsort(columns[unsettled], kind="stable")]
        found[asked] = _below(ranks, ways, columns[asked], rows[asked])
    return found


def _running(values: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(values)])


def _below(ranks: _Ranks, ways: Ints, columns: Ints, rows: _Ranks) -> Ints:
    """Ways among the first `columns` points that have a rank below `rows`; columns ascend."""
    size = len(ranks)
    if size <= _LEAF:
        return _table(ranks, ways)[columns, rows]
    found = np.empty(len(columns), np.int64)
    spread = np.zeros(size + 1, np.int64)
    width = -(-size // _PARTS)
    for start in range(0, size, width):
        part = slice(start, start + width)
        here = slice(*np.searchsorted(columns, [start, start + width]))
        if here.start < here.stop:
            marks = np.zeros(size + 1, np.int32)
            marks[ranks[part] + 1] = 1
            local = np.cumsum(marks, dtype=np.int32)
            inner = _below(local[ranks[part]], ways[part], columns[here] - start, local[rows[here]])
            found[here] = np.cumsum(spread)[rows[here]] + inner
        spread[ranks[part] + 1] = ways[part]
    return found


def _table(ranks: _Ranks, ways: Ints) -> Ints:
    """The answers for every column and row, of few points."""
    table = np.zeros((len(ranks) + 1, len(ranks) + 1), np.int64)
    table[np.arange(1, len(ranks) + 1), ranks + 1] = ways
    return table.cumsum(axis=0).cumsum(axis=1)


def exact_product(one: Ints, other: Ints) -> int:
    """Σ one·other of numbers that are not negative, without overflow."""
    if not len(one):
        return 0
    if int(one.max()) * int(other.max()) * len(one) < 2**63:
        return int(one @ other)
    total, mask, step = 0, 2**21 - 1, 2**20
    for start in range(0, len(one), step):
        a, b = one[start : start + step], other[start : start + step]
        for i in range(3):
            for j in range(3):
                total += int((a >> 21 * i & mask) @ (b >> 21 * j & mask)) << 21 * (i + j)
    return total
