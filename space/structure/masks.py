"""Connectivity masks: which positions and which channels read each other (paper, Figure 2).

Computed from the axes alone, without torch; the tests hold them to W.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.axes import Locality, Rank
from space.geometry import MapSize, channel_groups
from space.mixer import Mixer
from space.structure.entries import PositionEntries, channel_entries

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Connectivity:
    """Where W may be other than zero.

    Attributes:
        positions: (targets p, sources q), row-major numbers of positions.
        channels: (outputs c, inputs c').
    """

    positions: BoolArray
    channels: BoolArray


def connectivity(
    mixer: Mixer, width: int, size: MapSize, shifted: bool = False, factors: bool = False
) -> Connectivity:
    """The masks of a mixer; W[p, q, c, c'] may be other than zero where both are true.

    Args:
        mixer: the mixer.
        width: channels of the map.
        size: the map.
        shifted: whether the tiles of a window are moved.
        factors: with the rank factors around the sum: from the whole map to the whole map, all
            channels. Otherwise the sum itself, on reduced positions or channels.
    """
    if mixer.rank is Rank.JOINT:
        positions = np.ones((size.positions, size.positions), dtype=bool)
        return Connectivity(positions, np.ones((width, width), dtype=bool))
    positions = PositionEntries.of(mixer, size, shifted).table() >= 0
    channels = channel_entries(mixer, width) >= 0
    if not factors:
        return Connectivity(positions, channels)
    return Connectivity(_whole_map(mixer, size, positions), _all_channels(mixer, width, channels))


def reach(
    mixer: Mixer, size: MapSize, position: tuple[int, int], shifted: bool = False
) -> BoolArray:
    """(height, width), true where the token at (row, column) of the map reads; with the factors.

    Args:
        mixer, size, shifted: see `connectivity`.
        position: row and column of the target p.
    """
    row, column = position
    width = (mixer.ratio or 1) * (mixer.groups or 1) * (mixer.heads or 1)
    mask = connectivity(mixer, width, size, shifted, factors=True).positions
    seen: BoolArray = mask[row * size.width + column].reshape(size.height, size.width)
    return seen


def _whole_map(mixer: Mixer, size: MapSize, positions: BoolArray) -> BoolArray:
    """Each reduced source stands for its R×R patch, each repeated target for its own."""
    if mixer.rank is not Rank.SPATIAL:
        return positions
    patch = patch_numbers(size, mixer.ratio or 1)
    targets = patch if mixer.locality is Locality.SLIDING else np.arange(size.positions)
    return positions[np.ix_(targets, patch)]


def patch_numbers(size: MapSize, ratio: int) -> NDArray[np.int64]:
    """For each position the number of the ratio×ratio patch that holds it."""
    row, column = np.divmod(np.arange(size.positions), size.width)
    number: NDArray[np.int64] = row // ratio * size.reduced(ratio).width + column // ratio
    return number


def _all_channels(mixer: Mixer, width: int, channels: BoolArray) -> BoolArray:
    """A bottleneck and a layer norm join all channels, a reduction those of its groups."""
    if mixer.rank is Rank.CHANNEL or mixer.reduction_norm or mixer.reduction == "dense":
        return np.ones((width, width), dtype=bool)
    if mixer.reduction == "matched":
        inputs = width // channel_groups(mixer, width)
        group = np.arange(width) // inputs
        joined: BoolArray = (channels.astype(int) @ (group[:, None] == group).astype(int)) > 0
        return joined
    return channels
