"""What the pieces of a network cost, of the quantities that are asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from space.architecture import Downsample, Head, Input
from space.cost.activations.pieces import map_bytes
from space.cost.table.prices import Blocks, CostPrices, MemoryPrices, Prices, Triple
from space.design.sums import Vector
from space.geometry import MapSize

_OF_COST = {"params": 0, "macs": 1}
_OF_MEMORY = {"training_bytes": 0, "inference_bytes": 1}


@dataclass(frozen=True)
class Meter:
    """Reads quantities off the pieces; of a quantity that nobody asks for nothing is computed.

    Attributes:
        image, head, downsample: what the networks have in common.
        names: the quantities, by their names in `Limits`; bytes are for one image.
    """

    image: Input
    head: Head
    downsample: Downsample
    names: tuple[str, ...]

    @cached_property
    def _readings(self) -> list[tuple[Prices, int]]:
        prices = self.image, self.head, self.downsample
        costs, memories = CostPrices(*prices), MemoryPrices(*prices, 1)
        return [
            (costs, _OF_COST[name]) if name in _OF_COST else (memories, _OF_MEMORY[name])
            for name in self.names
        ]

    def stem(self, patch_size: int, width: int, size: MapSize) -> Vector:
        """From images to the map of the first stage, which has this size."""
        return self._read(lambda prices: prices.stem(patch_size, width, size))

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
        return map_bytes(self.image.channels, MapSize(self.image.height, self.image.width), 1)
