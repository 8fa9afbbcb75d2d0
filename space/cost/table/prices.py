"""What the pieces of a network cost, as triples of whole numbers, for the tables."""

from dataclasses import dataclass
from typing import Protocol

from space.architecture import BlockType
from space.cost.activations import pieces
from space.cost.activations.memory import Memory
from space.cost.architecture_cost import downsample_cost, head_cost, place_cost, stem_cost
from space.cost.tally import Cost
from space.frame import Frame
from space.geometry import MapSize
from space.mixer import Mixer

Triple = tuple[int, int, int]
Blocks = tuple[BlockType, Mixer, int, int, int, int, int, MapSize]
"""Type, mixer, place, step, depth, width, hidden channels and map of the blocks of a place."""


class Prices(Protocol):
    """The costs of the pieces of the networks of one space."""

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
class CostPrices:
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
class MemoryPrices:
    """Bytes saved for training, peak bytes and bytes moved."""

    frame: Frame
    batch: int

    def stem(self, patch_size: int, width: int) -> Triple:
        stem = self.frame.stem(patch_size)
        return _of_memory(pieces.stem_memory(self.frame.input, stem, width, self.batch))

    def place(self, blocks: Blocks) -> Triple:
        return _of_memory(pieces.place_memory(*blocks, self.batch))

    def downsample(self, before: int, after: int, larger: MapSize) -> Triple:
        kind = self.frame.downsample
        return _of_memory(pieces.downsample_memory(before, after, larger, kind, self.batch))

    def head(self, width: int, size: MapSize) -> Triple:
        return _of_memory(pieces.head_memory(width, size, self.frame.head, self.batch))
