"""Costs of many choices at once: sums of parameters and multiply-accumulates, and how many ways
lead to each."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from space.design.too_large import TooLarge

Ints = npt.NDArray[np.int64]
Pair = tuple[int, int]

MOST_SUMS = 2**24
"""Sums that are held at once before a space counts as too large; 24 bytes each."""
MOST_WAYS = 2**56
"""Ways that one array may add up to, far enough below 2⁶³ for a sum over the widths."""
_CHUNK = 2**22


@dataclass(frozen=True)
class Sums:
    """Distinct (params, macs) pairs, in order, and in how many ways each comes about."""

    params: Ints
    macs: Ints
    ways: Ints

    def __len__(self) -> int:
        return len(self.params)

    @property
    def least(self) -> Pair:
        """The least params and the least macs, of different sums perhaps."""
        return int(self.params.min()), int(self.macs.min())

    def moved(self, by: Pair) -> "Sums":
        """Every sum with the same cost added."""
        return Sums(self.params + by[0], self.macs + by[1], self.ways)

    def within(self, limits: Pair) -> "Sums":
        """The sums that exceed neither limit."""
        kept = (self.params <= limits[0]) & (self.macs <= limits[1])
        return Sums(self.params[kept], self.macs[kept], self.ways[kept])


def nothing() -> Sums:
    """No sum at all."""
    empty = np.empty(0, np.int64)
    return Sums(empty, empty, empty)


def of_pairs(pairs: Iterable[Pair]) -> Sums:
    """Sums of one way each, equal ones merged."""
    table = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    return merged([Sums(table[:, 0], table[:, 1], np.ones(len(table), np.int64))])


def merged(parts: list[Sums]) -> Sums:
    """All sums of the parts, in order, equal ones merged."""
    together = joined(parts) if parts else nothing()
    if not len(together):
        return together
    order = np.lexsort((together.macs, together.params))
    params, macs, ways = together.params[order], together.macs[order], together.ways[order]
    changes = (np.diff(params) != 0) | (np.diff(macs) != 0)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return Sums(params[starts], macs[starts], np.add.reduceat(ways, starts))


def added(one: Sums, other: Sums, limits: Pair) -> Sums:
    """Every sum of one with every sum of the other, within the limits; equal ones not merged.

    Raises:
        TooLarge: if there are more than can be held.
    """
    if not len(one) or not len(other):
        return nothing()
    if float(one.ways.sum(dtype=float)) * float(other.ways.sum(dtype=float)) >= MOST_WAYS:
        raise TooLarge(f"part of this space alone has more than {MOST_WAYS:,} points")
    parts, held = [], 0
    rows = max(1, _CHUNK // len(other))
    for start in range(0, len(one), rows):
        part = _outer(one, other, slice(start, start + rows)).within(limits)
        parts.append(part)
        held += len(part)
        if held > MOST_SUMS:
            raise TooLarge(
                f"counting needs more than {MOST_SUMS:,} sums of costs, made of "
                f"{len(one):,} × {len(other):,}"
            )
    return joined(parts)


def _outer(one: Sums, other: Sums, rows: slice) -> Sums:
    return Sums(
        (one.params[rows, None] + other.params).ravel(),
        (one.macs[rows, None] + other.macs).ravel(),
        (one.ways[rows, None] * other.ways).ravel(),
    )


def joined(parts: list[Sums]) -> Sums:
    """All sums of the parts, one after the other."""
    return Sums(
        np.concatenate([part.params for part in parts]),
        np.concatenate([part.macs for part in parts]),
        np.concatenate([part.ways for part in parts]),
    )
