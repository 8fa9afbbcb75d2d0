"""What the pieces of a network cost, of the quantities that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from space.cost.activations.pieces import map_bytes
from space.cost.table.prices import Blocks, CostPrices, MemoryPrices, Prices, Triple
from space.design.sums import Vector
from space.frame import Frame
from space.geometry import MapSize

_OF_COST = {"params": 0, "macs": 1}
_OF_MEMORY = {"training_bytes": 0, "inference_bytes": 1}


@dataclass(frozen=True)
class Meter:
    """Reads quantities off the pieces; of a quantity that nobody asks for nothing is computed.

    Attributes:
        frame: what the networks have in common.
        names: the quantities, by their names in `Limits`; bytes are for one image.
    """

    frame: Frame
    names: tuple[str, ...]

    @cached_property
    def _readings(self) -> list[tuple[Prices, int]]:
        costs, memories = CostPrices(self.frame), MemoryPrices(self.frame, 1)
        return [
            (costs, _OF_COST[name]) if name in _OF_COST else (memories, _OF_MEMORY[name])
            for name in self.names
        ]

    def stem(self, patch_size: int, width: int) -> Vector:
        """From images to the map of the first stage."""
        return self._read(lambda prices: prices.stem(patch_size, width))

    def place(self, blocks: Blocks) -> Vector:
        """All blocks of a stage at one place of its pattern."""
        return self._read(lambda prices: prices.place(blocks))

    def step(self, before: int, after: int, larger: MapSize) -> Vector:
        """From a stage with a map of this size to the next one."""
        return self._read(lambda prices: prices.downsample(before, after, larger))

    def top(self, width: int, size: MapSize) -> Vector:
        """From the last map to logits."""
        return self._read(lambda prices: prices.head(width, size))

    def _read(self, price: Callable[[Prices], Triple]) -> Vector:
        return tuple(price(prices)[index] for prices, index in self._readings)

    @property
    def images(self) -> int:
        """Bytes of the image."""
        image = self.frame.input
        return map_bytes(image.channels, MapSize(image.height, image.width), 1)
