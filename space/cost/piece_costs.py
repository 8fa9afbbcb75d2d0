"""What the pieces of the networks of a space cost, in the quantities that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

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

Vector = tuple[int, ...]
"""A number for each quantity that is asked for."""
Blocks = tuple[BlockType, Mixer, int, int, int, int, int, MapSize]
"""BlockType, mixer, place, step, depth, width, hidden channels and map of the blocks of a place."""

COSTS = tuple(field.name for field in fields(Cost))
MEMORIES = tuple(field.name for field in fields(Memory))


@dataclass(frozen=True)
class PieceCosts:
    """The costs of the pieces of the networks of one frame; what nobody asks for is not computed.

    Attributes:
        frame: what the networks have in common.
        names: the quantities, of `COSTS` and of `MEMORIES`.
        batch_size: images in the batch whose memory is asked for.
    """

    frame: Frame
    names: tuple[str, ...]
    batch_size: int = 1

    def stem(self, patch_size: int, width: int) -> Vector:
        """From images to the map of the first stage."""
        image, stem = self.frame.input, self.frame.stem(patch_size)
        return self._read(
            lambda: stem_cost(image, stem, width),
            lambda: stem_memory(image, stem, width, self.batch_size),
        )

    def place(self, blocks: Blocks) -> Vector:
        """All blocks of a stage at one place of its pattern."""
        return self._read(
            lambda: place_cost(*blocks), lambda: place_memory(*blocks, self.batch_size)
        )

    def downsample(self, before: int, after: int, larger: MapSize) -> Vector:
        """From a stage with a map of this size to the next one."""
        kind = self.frame.downsample
        return self._read(
            lambda: downsample_cost(before, after, larger.reduced(2).positions, kind),
            lambda: downsample_memory(before, after, larger, kind, self.batch_size),
        )

    def head(self, width: int, size: MapSize) -> Vector:
        """From the last map to logits."""
        head = self.frame.head
        return self._read(
            lambda: head_cost(width, head.classes),
            lambda: head_memory(width, size, head, self.batch_size),
        )

    def _read(self, cost: Callable[[], Cost], memory: Callable[[], Memory]) -> Vector:
        asks_costs, asks_memories = self._asks
        spent = cost() if asks_costs else None
        used = memory() if asks_memories else None
        return tuple(getattr(spent if name in COSTS else used, name) for name in self.names)

    @cached_property
    def _asks(self) -> tuple[bool, bool]:
        """Whether for quantities of `Cost`, and whether for others."""
        found = [name in COSTS for name in self.names]
        return any(found), not all(found)

    @property
    def image_bytes(self) -> int:
        """Bytes of the images."""
        image = self.frame.input
        return map_bytes(image.channels, MapSize(image.height, image.width), self.batch_size)
