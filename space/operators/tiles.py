"""Cutting a map into tiles and putting it together again (windows; a global reach is one tile)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from space.geometry import MapSize, rolls_tiles
from space.layout import Plan


class Tiling:
    """The tiles of a map: their edges, their number, how they are moved.

    Tile (a, b) holds the positions (i, j) with ⌊(i − s) / k⌋ = a and ⌊(j − s) / k⌋ = b for the
    offset s. A moved tiling either pads the map, which costs a row and a column of tiles, or
    rolls it, so that the first and last tiles share a tile and must be kept apart by a mask.
    """

    def __init__(
        self,
        size: MapSize,
        edges: tuple[int, int],
        counts: tuple[int, int],
        offset: tuple[int, int] = (0, 0),
        roll: bool = False,
    ) -> None:
        self.size = size
        self.edges = edges
        self.counts = counts
        self.roll = offset if roll else (0, 0)
        self.lead = tuple(
            0 if roll else (edge - move) % edge for edge, move in zip(edges, offset, strict=True)
        )
        padded = [edge * count for edge, count in zip(edges, counts, strict=True)]
        self.pad = (
            self.lead[1],
            padded[1] - self.lead[1] - size.width,
            self.lead[0],
            padded[0] - self.lead[0] - size.height,
        )

    @classmethod
    def of_targets(cls, plan: Plan) -> "Tiling":
        """The tiling of the map of targets p."""
        roll = rolls_tiles(plan.mixer)
        return cls(plan.targets, plan.target_tile, plan.tile_counts, plan.tile_offset, roll)

    @classmethod
    def of_sources(cls, plan: Plan) -> "Tiling":
        """The tiling of the map of sources q: one tile where rank is spatial."""
        if plan.sources == plan.targets:
            return cls.of_targets(plan)
        return cls(plan.sources, plan.source_tile, (1, 1))

    def split(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B·T, C, P), zeros outside the map."""
        batch, channels = x.shape[:2]
        if any(self.pad):
            x = F.pad(x, self.pad)
        if any(self.roll):
            x = torch.roll(x, (-self.roll[0], -self.roll[1]), (2, 3))
        (down, across), (height, width) = self.counts, self.edges
        if down * across > 1:
            x = x.reshape(batch, channels, down, height, across, width).permute(0, 2, 4, 1, 3, 5)
        return x.reshape(batch * down * across, channels, height * width)

    def join(self, tiles: Tensor) -> Tensor:
        """(B·T, C, P) to (B, C, H, W), without what lies outside the map."""
        (down, across), (height, width) = self.counts, self.edges
        batch, channels = tiles.shape[0] // (down * across), tiles.shape[1]
        x = tiles.reshape(batch, down, across, channels, height, width)
        x = x.permute(0, 3, 1, 4, 2, 5)
        x = x.reshape(batch, channels, down * height, across * width)
        if any(self.roll):
            x = torch.roll(x, self.roll, (2, 3))
        top, left = self.lead
        return x[:, :, top : top + self.size.height, left : left + self.size.width]

    def apart(self) -> Tensor | None:
        """(T, P, Q) booleans, true where p may not read q; None where every p may read every q.

        Sources outside the map are unread, except by targets outside the map, whose results are
        dropped: an empty softmax would be NaN.
        """
        if not any(self.pad) and not any(self.roll):
            return None
        numbers = torch.ones(self.size.height, self.size.width, dtype=torch.float64)
        rows = torch.arange(self.size.height) < self.roll[0]
        columns = torch.arange(self.size.width) < self.roll[1]
        # Rolling brings the first rows and columns into the last tiles: number the four regions.
        numbers = numbers + rows[:, None] + 2.0 * columns
        tiles = self.split(numbers[None, None])[:, 0]
        different = tiles[:, :, None] != tiles[:, None, :]
        outside = tiles == 0
        return (different | outside[:, None, :]) & ~outside[:, :, None]


def masked(weights: Tensor, apart: Tensor, value: float) -> Tensor:
    """The weights of pairs that are apart set to a value.

    Args:
        weights: (B·T, O, P, Q).
        apart: (T, P, Q), see `Tiling.apart`.
        value: what they are set to.
    """
    images = weights.shape[0] // apart.shape[0]
    return weights.masked_fill(apart.repeat(images, 1, 1).unsqueeze(1), value)
