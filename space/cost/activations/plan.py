"""The sizes that the parts of one mixer share (the counterpart of `space.operators.layout`)."""

import math
from dataclasses import dataclass

from space.axes import Channels, Dynamics, Locality
from space.geometry import (
    MapSize,
    channel_groups,
    generator_width,
    inner_width,
    rolls_tiles,
    source_size,
    target_size,
    tile_counts,
    tile_edges,
    tile_offset,
    weight_sets,
)
from space.mixer import Mixer


def channels_last(width: int, positions: int) -> bool:
    """Whether a map's order of channels and positions can be told; a map of one is both."""
    return width > 1 and positions > 1


@dataclass(frozen=True, slots=True)
class Tiles:
    """How a map is cut: tiles down and across, positions in a tile, padded, rolled or neither."""

    down: int
    across: int
    positions: int
    padded: bool
    rolled: bool

    @property
    def count(self) -> int:
        return self.down * self.across


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of a mixer at the width and maps at which it mixes."""

    mixer: Mixer
    width: int
    targets: MapSize
    sources: MapSize
    shifted: bool

    @classmethod
    def of(cls, mixer: Mixer, width: int, size: MapSize, shifted: bool) -> "Plan":
        """The plan of a mixer on a map of `width` channels and the given size."""
        targets, sources = target_size(mixer, size), source_size(mixer, size)
        return cls(mixer, inner_width(mixer, width), targets, sources, shifted)

    @property
    def tiled(self) -> bool:
        return self.mixer.locality is not Locality.SLIDING

    @property
    def separable(self) -> bool:
        return self.mixer.channels is Channels.SEPARABLE

    @property
    def groups(self) -> int:
        return channel_groups(self.mixer, self.width)

    @property
    def outputs(self) -> int:
        """Weight sets for separable channels, else the width."""
        return weight_sets(self.mixer, self.width) if self.separable else self.width

    @property
    def inputs(self) -> int:
        """Channels that a channel reads."""
        return self.width // self.groups

    @property
    def channels_last(self) -> bool:
        """Whether the mixed maps have the channels of a position side by side."""
        return channels_last(self.width, self.sources.positions)

    @property
    def weights_channels_last(self) -> bool:
        """The same of the weights, which is so if they are generated from several channels."""
        generated = self.mixer.dynamics is Dynamics.INHOMOGENEOUS
        return generated and generator_width(self.mixer, self.width) > 1

    @property
    def kernel_size(self) -> int:
        return self.mixer.kernel_size or 1

    @property
    def taps(self) -> int:
        """Sources in the reach of a target, padding included."""
        if self.tiled:
            return math.prod(tile_edges(self.mixer, self.sources))
        return self.kernel_size**2

    @property
    def target_tiles(self) -> Tiles:
        """The tiling of the map of targets."""
        counts = tile_counts(self.mixer, self.targets, self.shifted)
        edges = tile_edges(self.mixer, self.targets)
        covered = [edge * count for edge, count in zip(edges, counts, strict=True)]
        moved = any(tile_offset(self.mixer, self.targets, self.shifted))
        return Tiles(
            *counts,
            math.prod(edges),
            padded=covered != [self.targets.height, self.targets.width],
            rolled=moved and rolls_tiles(self.mixer),
        )

    @property
    def source_tiles(self) -> Tiles:
        """The tiling of the map of sources: one tile where rank is spatial."""
        if self.sources == self.targets:
            return self.target_tiles
        return Tiles(1, 1, self.sources.positions, padded=False, rolled=False)
