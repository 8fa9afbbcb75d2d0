"""What the pieces of the networks of a space cost, as whole numbers, and a reader of the quantities
that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from space.architecture import BlockType
from space.cost.network_cost import Cost, downsample_cost, head_cost, place_cost, stem_cost
from space.cost.network_memory import (
    Memory,
    downsample_memory,
    head_memory,
    map_bytes,
    place_memory,
    stem_memory,
)
from space.frame import Frame
from space.geometry import MapSize
from space.mixer import Mixer

Triple = tuple[int, int, int]
Vector = tuple[int, ...]
"""A number for each quantity that is asked for."""
Blocks = tuple[BlockType, Mixer, int, int, int, int, int, MapSize]
"""BlockType, mixer, place, step, depth, width, hidden channels and map of the blocks of a place."""


class PieceCosts(Protocol):
    """The costs of the pieces of the networks of one frame, three quantities at once."""

    def stem(self, patch_size: int, width: int) -> Triple:
        """From images to the map of the first stage."""
        ...

    def place(self, blocks: Blocks) -> Triple:
        """All blocks of a stage at one place of its pattern."""
        ...

    def downsample(self, before: int, after: int, larger: MapSize) -> Triple:
        """From one stage to the next."""
        ...

    def head(self, width: int, size: MapSize) -> Triple:
        """From the last map to logits."""
        ...


def _of_cost(spent: Cost) -> Triple:
    return spent.params, spent.macs, spent.unseen_macs


def _of_memory(used: Memory) -> Triple:
    return used.training_bytes, used.inference_bytes, used.moved_bytes


@dataclass(frozen=True, slots=True)
class PieceMacs:
    """Params, MACs and unseen MACs."""

    frame: Frame

    def stem(self, patch_size: int, width: int) -> Triple:
        return _of_cost(stem_cost(self.frame.input, self.frame.stem(patch_size), width))

    def place(self, blocks: Blocks) -> Triple:
        return _of_cost(place_cost(*blocks))

    def downsample(self, before: int, after: int, larger: MapSize) -> Triple:
        return _of_cost(downsample_cost(before, after, larger.reduced(2), self.frame.downsample))

    def head(self, width: int, size: MapSize) -> Triple:
        return _of_cost(head_cost(width, self.frame.head.classes))


@dataclass(frozen=True, slots=True)
class PieceMemory:
    """Bytes saved for training, peak bytes and bytes moved."""

    frame: Frame
    batch: int

    def stem(self, patch_size: int, width: int) -> Triple:
        stem = self.frame.stem(patch_size)
        return _of_memory(stem_memory(self.frame.input, stem, width, self.batch))

    def place(self, blocks: Blocks) -> Triple:
        return _of_memory(place_memory(*blocks, self.batch))

    def downsample(self, before: int, after: int, larger: MapSize) -> Triple:
        kind = self.frame.downsample
        return _of_memory(downsample_memory(before, after, larger, kind, self.batch))

    def head(self, width: int, size: MapSize) -> Triple:
        return _of_memory(head_memory(width, size, self.frame.head, self.batch))


_OF_COST = {"params": 0, "macs": 1}
_OF_MEMORY = {"training_bytes": 0, "inference_bytes": 1}


@dataclass(frozen=True)
class CostReader:
    """Reads quantities off the pieces; of a quantity that nobody asks for nothing is computed.

    Attributes:
        frame: what the networks have in common.
        names: the quantities: params, macs, training_bytes, inference_bytes (for one image).
    """

    frame: Frame
    names: tuple[str, ...]

    @cached_property
    def _columns(self) -> list[tuple[PieceCosts, int]]:
        costs, memories = PieceMacs(self.frame), PieceMemory(self.frame, 1)
        return [
            (costs, _OF_COST[name]) if name in _OF_COST else (memories, _OF_MEMORY[name])
            for name in self.names
        ]

    def stem(self, patch_size: int, width: int) -> Vector:
        """From images to the map of the first stage."""
        return self._read(lambda pieces: pieces.stem(patch_size, width))

    def place(self, blocks: Blocks) -> Vector:
        """All blocks of a stage at one place of its pattern."""
        return self._read(lambda pieces: pieces.place(blocks))

    def downsample(self, before: int, after: int, larger: MapSize) -> Vector:
        """From a stage with a map of this size to the next one."""
        return self._read(lambda pieces: pieces.downsample(before, after, larger))

    def head(self, width: int, size: MapSize) -> Vector:
        """From the last map to logits."""
        return self._read(lambda pieces: pieces.head(width, size))

    def _read(self, triple_of: Callable[[PieceCosts], Triple]) -> Vector:
        return tuple(triple_of(pieces)[column] for pieces, column in self._columns)

    @property
    def image_bytes(self) -> int:
        """Bytes of the image."""
        image = self.frame.input
        return map_bytes(image.channels, MapSize(image.height, image.width), 1)
