"""Costs of many architectures of a space at once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from space.architecture import Architecture
from space.cost.activations.pieces import map_bytes
from space.cost.table.codes import Codes
from space.cost.table.piece_table import PieceTable, by_shape
from space.cost.table.prices import CostPrices, MemoryPrices
from space.cost.table.stage_codes import Ints, StageCodes
from space.geometry import MapSize

if TYPE_CHECKING:
    from space.design import DesignSpace

CHUNK = 1 << 14
"""Rows at a time, so that what is in work stays in the cache of a core."""


class Costs(NamedTuple):
    """(n,) arrays of the fields of `space.Cost`."""

    params: Ints
    macs: Ints
    unseen_macs: Ints


class Memories(NamedTuple):
    """(n,) arrays of the fields of `space.cost.Memory`, in bytes."""

    training_bytes: Ints
    inference_bytes: Ints
    moved_bytes: Ints


@dataclass(frozen=True)
class CostTable:
    """The costs of a space's architectures, equal to `space.cost.cost` and `space.cost.memory`.

    Attributes:
        space: the design space; its limits play no part here.
        batch_size: images in the batch whose memory is asked for.
    """

    space: "DesignSpace"
    batch_size: int = 1

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.space)

    @cached_property
    def _costs(self) -> PieceTable:
        return PieceTable(self._codes, CostPrices(self.space.frame))

    @cached_property
    def _memories(self) -> PieceTable:
        return PieceTable(self._codes, MemoryPrices(self.space.frame, self.batch_size))

    def encode(self, architectures: Sequence[Architecture]) -> Ints:
        """(n, columns) codes of architectures of the space.

        Raises:
            InputError: for an architecture that is not in the space, limits aside.
        """
        return self._codes.encode(architectures)

    def decode(self, codes: Ints) -> list[Architecture]:
        """The architectures of (n, columns) codes."""
        return self._codes.decode(codes)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, columns) codes, uniform over the distinct architectures before the limits."""
        return self._codes.draw(rng, count)

    def costs(self, codes: Ints) -> Costs:
        """Params and MACs of (n, columns) codes."""
        return Costs(*_in_chunks(self._costs_of, codes))

    def memory(self, codes: Ints) -> Memories:
        """Activation bytes of (n, columns) codes."""
        return Memories(*_in_chunks(self._memories_of, codes))

    def _costs_of(self, codes: Ints) -> Ints:
        table = self._costs
        total = table.stem(codes) + table.head(codes)
        for stage in range(len(self._codes.columns)):
            for place in table.places(codes, stage):
                total += place
            if stage:
                total += table.downsample(codes, stage)
        return total

    def _memories_of(self, codes: Ints) -> Ints:
        """The same composition as `space.cost.activations.network`."""
        table, image = self._memories, self.space.input
        images = map_bytes(image.channels, MapSize(image.height, image.width), self.batch_size)
        head = table.head(codes)
        head[:, 1] += images
        total = _joined(table.stem(codes), head)
        held = np.full(len(codes), images)
        for stage in range(len(self._codes.columns)):
            if stage:
                total = _joined(total, _holding(table.downsample(codes, stage), held))
                held += self._map_bytes(codes, stage - 1)
            for place in table.places(codes, stage):
                total = _joined(total, _holding(place, held))
        return total

    def _map_bytes(self, codes: Ints, stage: int) -> Ints:
        return self._maps[stage][codes[:, 0], codes[:, self._codes.columns[stage].start]]

    @cached_property
    def _maps(self) -> list[Ints]:
        """Bytes of the map of each stage by (patch size, shape)."""
        columns = list(zip(*self._codes.stages, strict=True))
        return [by_shape(column, self._bytes_of(column))[:, :, 0] for column in columns]

    def _bytes_of(self, column: Sequence[StageCodes]) -> Callable[[int, int], tuple[int]]:
        return lambda patch, width: (map_bytes(width, column[patch].size, self.batch_size),)


def _holding(piece: Ints, held: Ints) -> Ints:
    """A piece while the network holds other maps."""
    piece[:, 1] += held
    return piece


def _joined(total: Ints, piece: Ints) -> Ints:
    """Pieces one after the other: bytes add up, but for the peak."""
    peak = np.maximum(total[:, 1], piece[:, 1])
    total += piece
    total[:, 1] = peak
    return total


def _in_chunks(costs_of: Callable[[Ints], Ints], codes: Ints) -> Iterator[Ints]:
    found = np.empty((3, len(codes)), np.int64)
    for start in range(0, len(codes), CHUNK):
        rows = slice(start, start + CHUNK)
        found[:, rows] = costs_of(codes[rows]).T
    return iter(found)
