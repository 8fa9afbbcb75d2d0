"""The numbers of a mixer's free entries, and which general entry stands for which special one.

The special mixer's W is a W of the general one exactly when the general one connects every pair
that the special one connects, and ties only pairs that are tied (or both zero) there. Both are
seen on the tables of numbers, pair by pair, so no two axis values need a rule of their own.
`space.morphisms.core` adds the values to the numbers, so that what can be lifted and what is lifted
are read off the same tables.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from space.axes import Rank
from space.errors import InputError
from space.geometry import MapSize
from space.inclusion.mixer_on_map import MixerOnMap
from space.structure.entries import ZERO, IntArray, channel_entries, grouped_entries, rows

FREE = -2
"""An entry that may have any value: no output depends on it."""

Numbering = Callable[[IntArray, IntArray], IntArray]


@dataclass(frozen=True)
class EntryNumbers:
    """Numbers of the free entries of a weighted sum.

    Attributes:
        positions: numbers the pairs (p, q), see `space.structure.entries`.
        targets, sources: numbers of positions.
        channels: (d, d) numbers of the pairs of channels.
    """

    positions: Numbering
    targets: int
    sources: int
    channels: IntArray

    @classmethod
    def of(cls, place: MixerOnMap) -> "EntryNumbers":
        """The sum inside a mixer's rank wrapper; all of it where the rank is joint."""
        if place.mixer.rank is Rank.JOINT:
            count = place.size.positions
            return EntryNumbers(lambda p, q: p * count + q, count, count, every_pair(place.width))
        entries = place.entries
        one = place.one_source
        channels = one_for_all(place.inner) if one else channel_entries(place.mixer, place.width)
        return EntryNumbers(
            entries.at, entries.targets.positions, entries.sources.positions, channels
        )


N = TypeVar("N", bound=EntryNumbers)


def every_pair(width: int) -> IntArray:
    """(width, width) numbers of a dense matrix."""
    return np.arange(width * width).reshape(width, width)


def one_for_all(width: int) -> IntArray:
    """(width, width) numbers of a multiple of the identity."""
    return np.where(np.eye(width, dtype=bool), 0, ZERO)


def of_reduction(place: MixerOnMap) -> IntArray:
    """(C, C) numbers of the entries of a reduction of ρ×ρ positions to one, an average's one."""
    if not place.reduction_inputs:
        return one_for_all(place.width)
    channel = np.arange(place.width)
    return grouped_entries(channel[:, None], channel[None, :], place.reduction_inputs)


def repeated(channels: IntArray, copies: int) -> IntArray:
    """On a map where each channel stands `copies` times in a row: copy j reads copy j."""
    tiled = channels.repeat(copies, 0).repeat(copies, 1)
    copy = np.arange(len(tiled)) % copies
    return np.where(copy[:, None] == copy[None, :], tiled, ZERO)


def embedded(channels: IntArray, places: IntArray, width: int) -> IntArray:
    """On more channels: channel i stands at places[i], the others are free outputs."""
    wide = np.full((width, width), FREE)
    wide[places] = ZERO
    wide[np.ix_(places, places)] = channels
    return wide


def over_patches(core: N, size: MapSize, finer: int, patch: int) -> N:
    """Every entry stands for patch × patch sources: entry · patch² + place in the patch.

    Args:
        core: numbers of a sum over sources that were reduced by finer · patch.
        size: the map before any reduction.
        finer: the reduction that remains.
        patch: edge of the patches that a source now is.
    """
    fine = size.reduced(finer)

    def positions(p: IntArray, q: IntArray) -> IntArray:
        entry = core.positions(p, _coarse(fine, patch, q))
        place = q // fine.width % patch * patch + q % fine.width % patch
        return np.where(entry >= 0, entry * patch**2 + place, ZERO)

    return replace(core, positions=positions, sources=fine.positions)


def repeated_targets(core: N, special: MixerOnMap, general: MixerOnMap) -> N:
    """The sum at the general mixer's targets, where the special one repeats its result."""
    fine = special.size.reduced(general.target_ratio)
    patch = special.target_ratio // general.target_ratio
    return replace(
        core,
        positions=lambda p, q: core.positions(_coarse(fine, patch, p), q),
        targets=fine.positions,
    )


def _coarse(size: MapSize, patch: int, at: IntArray) -> IntArray:
    """The reduced position of a position of the map, patch×patch to one."""
    across = size.reduced(patch).width
    return at // size.width // patch * across + at % size.width // patch


def products(channels: IntArray, factor: IntArray) -> tuple[IntArray, IntArray | None]:
    """The channels of a sum whose sources went through a factor.

    Returns:
        The numbers of the products, and which products these are, as number · entries of the factor
        + number in the factor, where each is of two entries: ties between channels stay where both
        have them. None where the products are sums over the channels between.
    """
    width = len(channels)
    if (factor[~np.eye(width, dtype=bool)] != ZERO).any():
        reached = (channels >= 0).astype(int) @ (factor >= 0).astype(int) > 0
        return np.where(reached, every_pair(width), ZERO), None
    pairs = np.where(channels >= 0, channels * (int(factor.max()) + 1) + np.diag(factor), ZERO)
    distinct = np.unique(pairs[pairs >= 0])
    return np.where(pairs >= 0, np.searchsorted(distinct, pairs), ZERO), distinct


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
