"""The free entries of W as index maps: which pairs have a weight, and which share one.

W[p, q, c, c'] is one free entry for a pair of positions (p, q) and a pair of channels (c, c'). Both
parts are numbered on their own: −1 is a zero of W, equal numbers are tied. Masks, ties, equal
functions and inclusions are all read off these two tables (paper, Section 2 and Table 1).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.axes import Channels, Locality
from space.geometry import (
    MapSize,
    channel_groups,
    inner_width,
    source_size,
    target_size,
    tile_edges,
    tile_offset,
    weight_sets,
)
from space.mixer import Mixer

IntArray = NDArray[np.int64]

ZERO = -1
"""The number of a pair that W does not connect."""


@dataclass(frozen=True, slots=True)
class PositionEntries:
    """The free entries of the sum over positions, inside the rank wrapper.

    Attributes:
        mixer: the mixer.
        targets, sources: the maps of p and of q.
        shifted: whether the tiles of a window are moved.
    """

    mixer: Mixer
    targets: MapSize
    sources: MapSize
    shifted: bool

    @classmethod
    def of(cls, mixer: Mixer, size: MapSize, shifted: bool = False) -> "PositionEntries":
        """The entries of a mixer on a map of this size."""
        return cls(mixer, target_size(mixer, size), source_size(mixer, size), shifted)

    @property
    def taps(self) -> int:
        """Sources in a reach, padding included."""
        if self.mixer.locality is Locality.SLIDING:
            return (self.mixer.kernel_size or 1) ** 2
        height, width = tile_edges(self.mixer, self.sources)
        return height * width

    @property
    def untied_targets(self) -> int:
        """Targets with weights of their own: 1 where the weights are tied or generated."""
        if self.mixer.dynamics.source.dynamic or self.mixer.position_shared:
            return 1
        if self.mixer.locality is Locality.SLIDING:
            return self.targets.positions
        height, width = tile_edges(self.mixer, self.targets)
        return height * width

    @property
    def count(self) -> int:
        """Number of free entries; some may belong to no pair on this map."""
        return self.untied_targets * self.taps

    def at(self, p: IntArray, q: IntArray) -> IntArray:
        """The entries (target · taps + tap) of pairs of positions in row-major numbers, or ZERO."""
        sliding = self.mixer.locality is Locality.SLIDING
        place, tap, reached = self._neighbour(p, q) if sliding else self._tile_mate(p, q)
        entry = place * self.taps + tap if self.untied_targets > 1 else tap
        return np.where(reached, entry, ZERO)

    def table(self) -> IntArray:
        """(targets, sources) numbers of the entries, or ZERO."""
        targets = np.arange(self.targets.positions)[:, None]
        return self.at(targets, np.arange(self.sources.positions)[None, :])

    def offset_at(self, p: IntArray, q: IntArray) -> IntArray:
        """The entries of a position bias: the tap q − p (sliding), or p − q as Swin numbers it."""
        edge = self.mixer.kernel_size or 1
        down, right = self._apart(p, q)
        if self.mixer.locality is Locality.SLIDING:
            return (down + edge // 2) * edge + right + edge // 2
        return (edge - 1 - down) * (2 * edge - 1) + edge - 1 - right

    def _apart(self, p: IntArray, q: IntArray) -> tuple[IntArray, IntArray]:
        down = q // self.sources.width - p // self.targets.width
        return down, q % self.sources.width - p % self.targets.width

    def _neighbour(self, p: IntArray, q: IntArray) -> tuple[IntArray, IntArray, NDArray[np.bool_]]:
        half = (self.mixer.kernel_size or 1) // 2
        down, right = self._apart(p, q)
        tap = (down + half) * (2 * half + 1) + right + half
        return p, tap, (np.abs(down) <= half) & (np.abs(right) <= half)

    def _tile_mate(self, p: IntArray, q: IntArray) -> tuple[IntArray, IntArray, NDArray[np.bool_]]:
        tile_of_p, place = self._tile(p, self.targets)
        tile_of_q, tap = self._tile(q, self.sources)
        return place, tap, tile_of_p == tile_of_q

    def _tile(self, position: IntArray, size: MapSize) -> tuple[IntArray, IntArray]:
        """The number of the tile that holds a position, and of the position within it."""
        height, width = tile_edges(self.mixer, size)
        down, right = tile_offset(self.mixer, size, self.shifted)
        row, column = position // size.width - down, position % size.width - right
        tile = (row // height) * (size.width + 2) + column // width
        return tile, (row % height) * width + column % width


def channel_entries(mixer: Mixer, width: int, first: int | None = None) -> IntArray:
    """(d, d) numbers of the free entries between output and input channels, or ZERO.

    Args:
        mixer: the mixer.
        width: channels of the map; d is the width inside a bottleneck, else the width.
        first: only so many of these channels, where all of a wide map would be too many to draw.
    """
    inner = inner_width(mixer, width)
    number = np.arange(inner if first is None else min(inner, first))
    out, read = number[:, None], number[None, :]
    if mixer.channels is Channels.SEPARABLE:
        entry = out // (inner // weight_sets(mixer, inner))
        return np.where(out == read, entry, ZERO)
    return grouped_entries(out, read, inner // channel_groups(mixer, inner))


def grouped_entries(out: IntArray, read: IntArray, inputs: int) -> IntArray:
    """Numbers of the entries between channels of groups of `inputs` each, or ZERO."""
    return np.where(out // inputs == read // inputs, out * inputs + read % inputs, ZERO)


def rows(count: int, entries_each: int, at_once: int = 1 << 22) -> Iterator[IntArray]:
    """The numbers below `count` as columns (n, 1), in pieces of about `at_once` entries."""
    step = max(1, at_once // max(1, entries_each))
    for start in range(0, count, step):
        yield np.arange(start, min(count, start + step))[:, None]
