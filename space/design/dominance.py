"""Two-dimensional dominance counting: how much weight lies below and left of many corners.

Points are cut into parts by their params; a corner takes all parts before its own from one running
sum over the ranks of the MACs, and asks its own part, which is cut again until a table holds it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from space.design.sums import Ints, Sums

_Ranks = npt.NDArray[np.signedinteger[Any]]
_PARTS = 64
_LEAF = 128


def ways_within(points: Sums, params: Ints, macs: Ints) -> Ints:
    """For each corner, the ways of the points with no more params and no more macs.

    Args:
        points: the sums, with their ways; the ways together stay below 2⁶³.
        params, macs: the corners, shape (corners,) each.

    Returns:
        Ways, shape (corners,), exact.
    """
    by_params = np.argsort(points.params, kind="stable")
    by_macs = np.argsort(points.macs, kind="stable")
    columns = np.searchsorted(points.params[by_params], params, side="right")
    rows = np.searchsorted(points.macs[by_macs], macs, side="right")
    size = len(points)
    # Where one of the two limits leaves every point, the other one decides alone.
    found = np.where(
        columns == size,
        _running(points.ways[by_macs])[rows],
        np.where(rows == size, _running(points.ways[by_params])[columns], 0),
    )
    unsettled = np.flatnonzero((columns > 0) & (columns < size) & (rows > 0) & (rows < size))
    if len(unsettled):
        ranks = np.empty(size, np.int64)
        ranks[by_macs] = np.arange(size)
        order = unsettled[np.argsort(columns[unsettled], kind="stable")]
        found[order] = _below(ranks[by_params], points.ways[by_params], columns[order], rows[order])
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
