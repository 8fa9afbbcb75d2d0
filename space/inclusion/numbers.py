"""The numbering of a mixer's free entries, and what absorbing its rank factors makes of it.

`space.morphisms.core` adds the values to the numbers, so that what can be lifted and what is lifted
are read off the same tables.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from space.axes import Rank
from space.geometry import MapSize
from space.inclusion.correspondence import FREE, Numbering
from space.inclusion.place import Place
from space.structure.entries import ZERO, IntArray, channel_entries


@dataclass(frozen=True)
class Numbers:
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
    def of(cls, place: Place) -> "Numbers":
        """The sum inside a mixer's rank wrapper; all of it where the rank is joint."""
        if place.mixer.rank is Rank.JOINT:
            count = place.size.positions
            return Numbers(lambda p, q: p * count + q, count, count, every_pair(place.width))
        entries = place.entries
        # The weight of an attention's only source is 1, for all channels.
        channels = one_for_all(place.inner) if place.attends else _channels(place)
        return Numbers(entries.at, entries.targets.positions, entries.sources.positions, channels)


N = TypeVar("N", bound=Numbers)


def _channels(place: Place) -> IntArray:
    return channel_entries(place.mixer, place.width)


def every_pair(width: int) -> IntArray:
    """(width, width) numbers of a dense matrix."""
    return np.arange(width * width).reshape(width, width)


def one_for_all(width: int) -> IntArray:
    """(width, width) numbers of a multiple of the identity."""
    return np.where(np.eye(width, dtype=bool), 0, ZERO)


def of_groups(width: int, inputs: int) -> IntArray:
    """(width, width) numbers of a convolution's entries, `inputs` channels a group."""
    out, read = np.arange(width)[:, None], np.arange(width)[None, :]
    return np.where(out // inputs == read // inputs, out * inputs + read % inputs, ZERO)


def of_reduction(place: Place) -> IntArray:
    """(C, C) numbers of the entries of a reduction of ρ×ρ positions to one, an average's one."""
    inputs = place.reduction_inputs
    return of_groups(place.width, inputs) if inputs else one_for_all(place.width)


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


def repeated_targets(core: N, special: Place, general: Place) -> N:
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
