"""Costs of many choices at once: vectors of what adds up along a network, such as parameters and
multiply-accumulates, and how many ways lead to each."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from space.cost.piece_costs import Vector
from space.errors import MixspaceError

Ints = npt.NDArray[np.int64]

MOST_SUMS = 2**24
"""Sums that are held at once before a space counts as too large; 24 bytes each, or 32."""
MOST_WAYS = 2**56
"""Ways that one array may add up to, far enough below 2⁶³ for a sum over the widths."""
_CHUNK = 2**22


class SpaceTooLarge(MixspaceError, ValueError):
    """A space that cannot be counted exactly within the memory and time that are allowed.

    The message says what would be needed. Nothing is estimated in its place.
    """


def plus(one: Vector, other: Vector) -> Vector:
    """one + other, of the same quantities."""
    return tuple(map(operator.add, one, other))


def minus(one: Vector, other: Vector) -> Vector:
    """one − other, of the same quantities."""
    return tuple(map(operator.sub, one, other))


def column(values: Vector) -> Ints:
    """The vector as a (quantities, 1) array."""
    return np.array(values, np.int64).reshape(-1, 1)


@dataclass(frozen=True)
class Sums:
    """Distinct vectors, in order, and in how many ways each comes about.

    Attributes:
        costs: (quantities, sums).
        ways: (sums,).
    """

    costs: Ints
    ways: Ints

    def __len__(self) -> int:
        return len(self.ways)

    @property
    def least(self) -> Vector:
        """The least of each quantity, of different sums perhaps."""
        return tuple(self.costs.min(axis=1).tolist())

    def vectors(self) -> list[Vector]:
        """The sums as vectors."""
        return [tuple(row) for row in self.costs.T.tolist()]

    def moved(self, by: Vector) -> "Sums":
        """Every sum with the same cost added."""
        return Sums(self.costs + column(by), self.ways)

    def within(self, limits: Vector) -> "Sums":
        """The sums that exceed no limit."""
        return self.taken(np.all(self.costs <= column(limits), axis=0))

    def taken(self, places: npt.NDArray[np.bool_] | Ints) -> "Sums":
        """Some of the sums, by a mask or by their places."""
        return Sums(self.costs[:, places], self.ways[places])


def nothing(quantities: int) -> Sums:
    """No sum at all."""
    return Sums(np.empty((quantities, 0), np.int64), np.empty(0, np.int64))


def of_vectors(vectors: Sequence[Vector], quantities: int) -> Sums:
    """Sums of one way each, equal ones merged."""
    table = np.array(vectors, np.int64).reshape(len(vectors), quantities)
    return merged([Sums(table.T, np.ones(len(table), np.int64))], quantities)


def merged(parts: list[Sums], quantities: int) -> Sums:
    """All sums of the parts, in order, equal ones merged."""
    together = joined(parts, quantities)
    if not len(together):
        return together
    if quantities:
        together = together.taken(np.lexsort(together.costs[::-1]))
    changes = (np.diff(together.costs) != 0).any(axis=0)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    return Sums(together.costs[:, starts], np.add.reduceat(together.ways, starts))


def added(one: Sums, other: Sums, limits: Vector) -> Sums:
    """Every sum of one with every sum of the other, within the limits; equal ones not merged.

    Raises:
        SpaceTooLarge: if there are more than can be held.
    """
    if not len(one) or not len(other):
        return nothing(len(limits))
    if float(one.ways.sum(dtype=float)) * float(other.ways.sum(dtype=float)) >= MOST_WAYS:
        raise SpaceTooLarge(f"part of this space alone has more than {MOST_WAYS:,} points")
    parts, held = [], 0
    rows = max(1, _CHUNK // len(other))
    for start in range(0, len(one), rows):
        part = _outer(one, other, slice(start, start + rows)).within(limits)
        parts.append(part)
        held += len(part)
        if held > MOST_SUMS:
            raise SpaceTooLarge(
                f"counting needs more than {MOST_SUMS:,} sums of costs, made of "
                f"{len(one):,} × {len(other):,}"
            )
    return joined(parts, len(limits))


def _outer(one: Sums, other: Sums, rows: slice) -> Sums:
    ways = (one.ways[rows, None] * other.ways).ravel()
    costs = one.costs[:, rows, None] + other.costs[:, None]
    return Sums(costs.reshape(len(costs), len(ways)), ways)


def joined(parts: list[Sums], quantities: int) -> Sums:
    """All sums of the parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    parts = parts or [nothing(quantities)]
    return Sums(
        np.concatenate([part.costs for part in parts], axis=1),
        np.concatenate([part.ways for part in parts]),
    )
