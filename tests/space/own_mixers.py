"""Mixers for tests: good ones, and one for each way of being wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space import MapSize
from space.custom import register_mixer
from space.custom.registry import forget

POOLED = {
    "locality": "sliding",
    "channels": "separable",
    "sharing": "both",
    "dynamics": "static",
}


class Pool(nn.Module):
    """The mean of the neighbourhood."""

    def __init__(self, width: int, size: MapSize, kernel_size: int = 3) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(kernel_size, 1, kernel_size // 2)

    def forward(self, values: Tensor) -> Tensor:
        mean: Tensor = self.pool(values)
        return mean


class Gate(nn.Module):
    """x[p] times a gate of x[p]: dynamic, and seen with values and context apart."""

    def __init__(self, width: int, size: MapSize) -> None:
        super().__init__()
        self.gate = nn.Conv2d(width, width, 1)

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        return values * torch.sigmoid(self.gate(context))


class OneMap(nn.Module):
    """A module of one map, by a function of it."""

    def __init__(self, function: Callable[[Tensor], Tensor], width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, 1, 1))
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values * self.scale)


def of(function: Callable[[Tensor], Tensor]) -> Callable[[int, MapSize], OneMap]:
    """A factory of such modules, which says that it is from this module."""

    def factory(width: int, size: MapSize) -> OneMap:
        return OneMap(function, width)

    factory.__qualname__ = f"factory_{id(function)}"
    return factory


def put(name: str, factory: Any, **declared: Any) -> None:
    """Register a factory."""
    register_mixer(name, **declared)(factory)


NAMES = ("test pool", "test gate", "test other")


@pytest.fixture(autouse=True)
def mixers() -> Iterator[None]:
    """Two that are registered for a test, and the name of a third."""
    put(
        "test pool",
        Pool,
        options={"kernel_size": (3, 5, 7)},
        marks=POOLED,
        relatives={"DW-S Conv.": "learned weights"},
    )
    put("test gate", Gate)
    yield
    for name in NAMES:
        forget(name)
