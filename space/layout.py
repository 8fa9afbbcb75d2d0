"""Where the free entries of W live: three layouts, one for each way of applying weights.

A weight source makes a tensor in the layout, an aggregator applies it. O is the number of weight
sets for separable channels (heads, or C) and C otherwise; I is the number of input channels an
output channel reads (1 for separable channels). A leading batch axis is there when the weights
depend on the image.

* kernel: sliding, shared across positions. Parameters (O, I, k, k); applied in that shape, or as
  (B, O, I, k, k).
* neighbourhood: sliding, not shared. Parameters (O, I·k·k, H·W); if separable, applied as
  (1 or B, O, k·k, H, W).
* tile: global (one tile) and window. Parameters (O, P, I·Q); if separable, applied as
  (1 or B·T, O, P, Q).

P and Q run over the positions of a tile in row-major order, T over the tiles of the map. Dense and
grouped weights are applied in the shape of the parameters. Only kernels have four axes, so that
`network.to(memory_format=torch.channels_last)` rearranges them alone.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from space.axes import Channels, Locality
from space.geometry import (
    MapSize,
    channel_groups,
    inner_width,
    source_size,
    target_size,
    tile_counts,
    tile_edges,
    tile_offset,
    weight_sets,
)
from space.mixer import Mixer


class Layout(StrEnum):
    """How the free entries of W are arranged."""

    KERNEL = "kernel"
    NEIGHBOURHOOD = "neighbourhood"
    TILE = "tile"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the parts of one mixer need to know about each other.

    Attributes:
        mixer: the mixer.
        width: channels at which the mixing happens (inside a bottleneck: C/ratio).
        targets: the map of p.
        sources: the map of q.
        shifted: whether window tiles are moved (every second block).
    """

    mixer: Mixer
    width: int
    targets: MapSize
    sources: MapSize
    shifted: bool

    @classmethod
    def of(cls, mixer: Mixer, width: int, size: MapSize, shifted: bool = False) -> Self:
        """The plan of a mixer on a map of `width` channels and the given size."""
        return cls(
            mixer=mixer,
            width=inner_width(mixer, width),
            targets=target_size(mixer, size),
            sources=source_size(mixer, size),
            shifted=shifted,
        )

    @property
    def layout(self) -> Layout:
        """How the sources of a target are gathered."""
        if self.mixer.locality is not Locality.SLIDING:
            return Layout.TILE
        return Layout.KERNEL if self.mixer.position_shared else Layout.NEIGHBOURHOOD

    @property
    def takes_any_size(self) -> bool:
        """Whether the parts keep nothing that fits one map only: weights, tiles or masks."""
        any_size = self.mixer.dynamics.source.any_size
        return self.layout is Layout.KERNEL or (self.layout is Layout.NEIGHBOURHOOD and any_size)

    @property
    def separable(self) -> bool:
        """Whether channels are not mixed with each other."""
        return self.mixer.channels is Channels.SEPARABLE

    @property
    def groups(self) -> int:
        """Channel groups that do not read each other."""
        return channel_groups(self.mixer, self.width)

    @property
    def outputs(self) -> int:
        """O: weight sets for separable channels, else the width."""
        return weight_sets(self.mixer, self.width) if self.separable else self.width

    @property
    def heads(self) -> tuple[int, int]:
        """Weight sets, and channels of each, for separable channels."""
        return self.outputs, self.width // self.outputs

    @property
    def inputs(self) -> int:
        """I: input channels that an output channel reads."""
        return self.width // self.groups

    @property
    def kernel_size(self) -> int:
        """Edge of a kernel, in positions; 1 where the mixer has none."""
        return self.mixer.kernel_size or 1

    @property
    def target_tile(self) -> tuple[int, int]:
        """Edges of a tile of targets p."""
        return tile_edges(self.mixer, self.targets)

    @property
    def source_tile(self) -> tuple[int, int]:
        """Edges of a tile of sources q; smaller than the targets' where rank is spatial."""
        return tile_edges(self.mixer, self.sources)

    @property
    def tile_counts(self) -> tuple[int, int]:
        """Tiles down and across."""
        return tile_counts(self.mixer, self.targets, self.shifted)

    @property
    def tile_offset(self) -> tuple[int, int]:
        """By how much tiles are moved down and right."""
        return tile_offset(self.mixer, self.targets, self.shifted)

    @property
    def taps(self) -> int:
        """Number of sources q in the reach of a target p, padding included."""
        if self.layout is Layout.TILE:
            return self.source_tile[0] * self.source_tile[1]
        return self.kernel_size**2

    @property
    def static_shape(self) -> tuple[int, ...]:
        """Shape of static weights in this layout."""
        k = self.kernel_size
        if self.layout is Layout.KERNEL:
            return self.outputs, self.inputs, k, k
        if self.layout is Layout.NEIGHBOURHOOD:
            return self.outputs, self.inputs * k * k, self.targets.positions
        height, width = self.target_tile
        return self.outputs, height * width, self.inputs * self.taps
