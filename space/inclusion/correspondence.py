"""One set of free entries in another: which general entry stands for which special one.

The special mixer's W is a W of the general one exactly when the general one connects every pair
that the special one connects, and ties only pairs that are tied (or both zero) there. Both are
seen on the index maps, pair by pair, so no two axis values need a rule of their own.
"""

from collections.abc import Callable

import numpy as np

from space.errors import InputError
from space.structure.entries import ZERO, IntArray, rows

FREE = -2
"""An entry that may have any value: no output depends on it."""

Numbering = Callable[[IntArray, IntArray], IntArray]


class Correspondence:
    """Which special entry every general entry takes: its number, ZERO, or FREE where none asks.

    Args:
        count: number of general entries.
        what: the axis in words, for refusals.
    """

    def __init__(self, count: int, what: str) -> None:
        self.taken = np.full(count, FREE, dtype=np.int64)
        self.what = what

    def add(self, special: IntArray, general: IntArray) -> None:
        """Takes over a table of pairs; FREE pairs of the special one ask for nothing.

        Raises:
            InputError: if the general entries cannot be as the special ones are.
        """
        special, general = np.broadcast_arrays(special, general)
        if ((special >= 0) & (general == ZERO)).any():
            raise InputError.of(self.what, "the special mixer connects more than the general one")
        asked = (special != FREE) & (general != ZERO)
        special, general = special[asked], general[asked]
        before = self.taken[general]
        self.taken[general] = special
        if ((before != FREE) & (before != special)).any() or (self.taken[general] != special).any():
            raise InputError.of(self.what, "the general mixer ties what the special one does not")


def of_positions(
    special: Numbering, general: Numbering, count: int, targets: int, sources: int
) -> IntArray:
    """The special entry of each of `count` general entries, over all pairs of positions."""
    found = Correspondence(count, "positions")
    q = np.arange(sources)[None, :]
    for p in rows(targets, sources):
        found.add(special(p, q), general(p, q))
    return found.taken


def of_channels(special: IntArray, general: IntArray) -> IntArray:
    """The special entry of each general entry, over a (d, d) table of pairs of channels."""
    found = Correspondence(int(general.max()) + 1, "channels")
    found.add(special, general)
    return found.taken


def check_same_reach(special: Numbering, general: Numbering, targets: int, sources: int) -> None:
    """Refuses a reach that differs.

    Raises:
        InputError: softmax has no zeros, so an attention cannot leave out what it reaches.
    """
    q = np.arange(sources)[None, :]
    for p in rows(targets, sources):
        if ((special(p, q) == ZERO) != (general(p, q) == ZERO)).any():
            raise InputError.of("positions", "softmax gives all of a larger reach some weight")
