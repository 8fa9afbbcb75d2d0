"""Connectivity masks: which positions and which channels read each other (paper, Figure 2).

Computed from the axes alone, without torch; the tests hold them to W.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.axes import Locality, Rank
from space.canonical import without_unit_factor
from space.custom import CustomMixer
from space.geometry import MapSize, channel_groups
from space.mixer import Mixer
from space.structure.entries import ZERO, IntArray, PositionEntries, channel_entries
from space.structure.marked import marked_channels, marked_positions

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
    if isinstance(mixer, CustomMixer):
        return Connectivity(marked_positions(mixer, size), marked_channels(mixer, width))
    mixer = without_unit_factor(mixer)
    entries = PositionEntries.of(mixer, size, shifted)
    targets, sources = _numbers(entries, size, factors)
    positions = entries.at(targets[:, None], sources[None, :]) != ZERO
    channels = channel_entries(mixer, width) != ZERO
    return Connectivity(positions, _all_channels(mixer, width, channels) if factors else channels)


def reach(
    mixer: Mixer,
    size: MapSize,
    position: tuple[int, int],
    shifted: bool = False,
    factors: bool = True,
) -> BoolArray:
    """(height, width), true where one token reads: one row of `connectivity`, at a row's cost.

    Args:
        mixer, size, shifted, factors: see `connectivity`. Without the factors the mask lies over
            the sources of the sum itself, a smaller map where rank spatial reduces them.
        position: row and column of the target p; without the factors, on the map of the targets.
    """
    if isinstance(mixer, CustomMixer):
        read: BoolArray = marked_positions(mixer, size)[position[0] * size.width + position[1]]
        return read.reshape(size.height, size.width)
    entries = PositionEntries.of(mixer, size, shifted)
    targets, sources = _numbers(entries, size, factors)
    target_map, source_map = (size, size) if factors else (entries.targets, entries.sources)
    target = targets[position[0] * target_map.width + position[1]]
    seen: BoolArray = entries.at(target, sources) != ZERO
    return seen.reshape(source_map.height, source_map.width)


def _numbers(entries: PositionEntries, size: MapSize, factors: bool) -> tuple[IntArray, IntArray]:
    """The targets and the sources of the sum that the targets and sources of a mask stand for.

    With the factors each source is its R×R patch, and so is each target where it is repeated.
    """
    targets, sources = np.arange(entries.targets.positions), np.arange(entries.sources.positions)
    if not factors or entries.mixer.rank is not Rank.SPATIAL:
        return targets, sources
    patch = patch_numbers(size, entries.mixer.ratio or 1)
    return (patch if entries.mixer.locality is Locality.SLIDING else targets), patch


def patch_numbers(size: MapSize, ratio: int) -> IntArray:
    """For each position the number of the ratio×ratio patch that holds it."""
    row, column = np.divmod(np.arange(size.positions), size.width)
    number: IntArray = row // ratio * size.reduced(ratio).width + column // ratio
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
