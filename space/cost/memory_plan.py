"""How the maps of a mixer lie in memory, and where cutting and shifting them copies (mirrors
`space.operators.tiles` and `space.operators.neighbourhood`).

Maps come with the channels of a position side by side (channels last), as the layer norm of the
stem leaves them; that order decides where reshaping copies.
"""

import math
from dataclasses import dataclass

from space.cost.tape import Tape, Tensor, masked, then
from space.geometry import generator_width, rolls_tiles
from space.layout import Layout, Plan


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
        """Number of tiles."""
        return self.down * self.across


class MemoryPlan(Plan):
    """The plan of a mixer, as the operators have it, and what only its memory depends on."""

    @property
    def tiled(self) -> bool:
        """Whether the map is cut into tiles."""
        return self.layout is Layout.TILE

    @property
    def channels_last(self) -> bool:
        """Whether the mixed maps have the channels of a position side by side."""
        return channels_last(self.width, self.sources.positions)

    @property
    def weights_channels_last(self) -> bool:
        """The same of the weights, which is so if they are generated from several channels."""
        as_maps = self.mixer.dynamics.source.lie_as_maps
        return as_maps and generator_width(self.mixer, self.width) > 1

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
        return self.mixer.dynamics.source.lie_as_maps and not self.mask

    @property
    def mixes_by_channel(self) -> bool:
        """Whether a product a channel, over its tiles, leaves them side by side."""
        own = self.mixer.dynamics.source.dynamic
        return not own and self.separable and self.outputs == self.width


def split(t: Tape, x: Tensor, width: int, tiles: Tiles, channels_last: bool) -> Tensor:
    """(B, width, H, W) to (B·T, width, P), zeros outside the map."""
    size = t.map(width, tiles.count * tiles.positions)
    y = t.run(size, x) if tiles.padded else t.view(x)
    if tiles.rolled:
        y = then(t, Tape.copy, y)
    return then(t, Tape.copy, y) if width > 1 and _moves(t, tiles, channels_last) else y


def _moves(t: Tape, tiles: Tiles, channels_last: bool) -> bool:
    """Whether cutting a map of several channels changes the order of its elements.

    One column of tiles leaves a map with channels last as it is, but rolling puts channels first:
    then the tiles of an image lie within each channel, and only those of one image are a view.
    """
    if tiles.count == 1:
        return False
    return tiles.across > 1 or (t.batch > 1 and (tiles.rolled or not channels_last))


def scattered(t: Tape, heads: int, tiles: Tiles, channels_last: bool) -> bool:
    """Whether a product a tile and head copies the tiles that `split` left as they lay."""
    as_it_lay = not _moves(t, tiles, channels_last) and (channels_last or tiles.count > 1)
    return as_it_lay and heads > 1 and t.batch * tiles.count > 1


def join(
    t: Tape, x: Tensor, width: int, tiles: Tiles, positions: int, channels_first: bool = False
) -> Tensor:
    """(B·T, width, P) to the (B, width, positions) that lie on the map: a view of all tiles.

    Where all tiles of a channel lie side by side (channels first), a column of them is its map.
    """
    y = t.copy_if(tiles.across > 1 or (tiles.down > 1 and not channels_first), x)
    if tiles.rolled:
        y = then(t, Tape.copy, y)
    return then(t, Tape.view, y, t.map(width, positions))


def without(t: Tape, x: Tensor, apart: int) -> Tensor:
    """x with the entries filled that a mask of `apart` bytes, repeated for each image, names.

    The result lies in the order of its axes, whatever x does.
    """
    repeated = t.run(t.batch * apart, t.buffer(apart))
    y = masked(t, x, repeated)
    t.free(repeated)
    return y


def batch_last(t: Tape, x: Tensor, channels_last: bool) -> Tensor:
    """A map with the batch innermost, for which one image with channels first needs no copy."""
    return t.copy_if(t.batch > 1 or channels_last, x)


def _padded(t: Tape, x: Tensor, plan: MemoryPlan) -> Tensor:
    border = plan.kernel_size - 1
    height, width = plan.targets.height + border, plan.targets.width + border
    return t.run(t.map(plan.width, height * width), x)


def neighbourhood_sum(t: Tape, weights: Tensor, x: Tensor, plan: MemoryPlan) -> Tensor:
    """Σ over taps of weights · shifted x; both are saved. Every tap reads and writes the sum."""
    t.save(weights, x)
    total = t.run(x.size)
    padded = _padded(t, x, plan)
    t.moved += plan.kernel_size**2 * 3 * x.size + weights.size
    t.free(padded)
    return total


def neighbourhood_dot(t: Tape, targets: Tensor, sources: Tensor, plan: MemoryPlan) -> Tensor:
    """Σ over channels of targets · shifted sources at each tap; both are saved."""
    t.save(targets, sources)
    taps = plan.kernel_size**2
    logits = t.make(t.map(plan.outputs, taps * plan.targets.positions))
    product = t.make(targets.size)
    padded = _padded(t, sources, plan)
    t.moved += taps * 4 * targets.size + logits.size
    t.free(product, padded)
    return logits
