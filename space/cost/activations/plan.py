"""What the memory of a mixer needs to know beside its layout: order in memory, and tiles."""

import math
from dataclasses import dataclass

from space import layout
from space.axes import Dynamics
from space.geometry import generator_width, rolls_tiles
from space.layout import Layout


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


class Plan(layout.Plan):
    """The plan of a mixer, as the operators have it, and what only its memory depends on."""

    @property
    def tiled(self) -> bool:
        return self.layout is Layout.TILE

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
    def target_tiles(self) -> Tiles:
        """The tiling of the map of targets."""
        counts, edges = self.tile_counts, self.target_tile
        covered = [edge * count for edge, count in zip(edges, counts, strict=True)]
        return Tiles(
            *counts,
            math.prod(edges),
            padded=covered != [self.targets.height, self.targets.width],
            rolled=any(self.tile_offset) and rolls_tiles(self.mixer),
        )

    @property
    def source_tiles(self) -> Tiles:
        """The tiling of the map of sources: one tile where rank is spatial."""
        if self.sources == self.targets:
            return self.target_tiles
        return Tiles(1, 1, self.sources.positions, padded=False, rolled=False)

    @property
    def mask(self) -> int:
        """Bytes of the booleans that keep apart what shares a tile; 0 for none."""
        tiles = self.target_tiles
        needed = self.sources == self.targets and (tiles.padded or tiles.rolled)
        return tiles.count * tiles.positions * self.taps if needed else 0

    @property
    def weights_as_cut(self) -> bool:
        """Whether the weights of tiles lie as cutting left them, not as a mask or softmax."""
        return self.mixer.dynamics is Dynamics.INHOMOGENEOUS and not self.mask

    @property
    def mixes_by_channel(self) -> bool:
        """Whether a product a channel, over its tiles, leaves them side by side."""
        return (
            self.mixer.dynamics is Dynamics.STATIC and self.separable and self.outputs == self.width
        )
