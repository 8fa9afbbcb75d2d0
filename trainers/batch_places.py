"""Stochastic depth that falls to the same images of a batch, however many processes share it."""

import torch
from torch import Tensor, nn

from space.operators.layers import DropPath


class BatchPlaces:
    """Which images of a batch, or of a part of one, go through the network now.

    Attributes:
        count: how many the batch has over all processes. places: (images,) int64, of those here.
    """

    def __init__(self) -> None:
        self.count, self.places = 0, torch.zeros(0, dtype=torch.int64)

    def set(self, count: int, places: Tensor) -> None:
        """The next batch."""
        self.count, self.places = count, places


class PlacedDropPath(DropPath):
    """Draws for every image of the whole batch, as one process alone would, and takes its own."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if not self.training or self.rate == 0:
            return x
        batch: BatchPlaces = vars(self)["batch"]
        every = x.new_empty(batch.count, 1, 1, 1).bernoulli_(1 - self.rate)
        kept = every[batch.places.to(x.device)]
        return x * kept.div_(1 - self.rate)


def place_drop_path(network: nn.Module) -> BatchPlaces:
    """Let the network's stochastic depth go by the places that are told to what is returned."""
    batch = BatchPlaces()
    for part in network.modules():
        if type(part) is DropPath:
            part.__class__ = PlacedDropPath
            vars(part)["batch"] = batch  # past the Module, for which it is no part of the network
    return batch
