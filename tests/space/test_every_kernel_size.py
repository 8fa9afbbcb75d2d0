"""Every kernel size and tile edge from 1 to 31 against the definition.

Maps are long and thin: they reach every row or every column of a kernel, at a hundredth of the
position pairs of a square.
"""

import pytest

from space import Mixer, cell_named
from space.geometry import MapSize
from tests.space.strategies import cell_fields
from tests.space.test_operators_against_reference import assert_agrees

SLIDING = [
    "Conv.",
    "DW-S Conv.",
    "Dynamic DW-S Conv.",
    "Dynamic Local-S MLP",
    "Neighbourhood attention",
]
WINDOWS = ["Local ViT", "Local MLP"]


def mixer_of(name: str, kernel_size: int) -> Mixer:
    cell = cell_named(name)
    fields = cell_fields(cell) | {"kernel_size": kernel_size}
    return Mixer(**fields | ({"heads": 2} if "heads" in Mixer.applicable(*cell.values) else {}))


def thin(length: int, lying: bool) -> MapSize:
    return MapSize(2, length) if lying else MapSize(length, 2)


@pytest.mark.parametrize("name", SLIDING)
def test_sliding_kernels(name: str) -> None:
    for kernel_size in range(1, 32, 2):
        size = thin(kernel_size // 2 + 2, lying=kernel_size % 4 == 1)
        assert_agrees(mixer_of(name, kernel_size), 4, size, shifted=False, seed=kernel_size)


@pytest.mark.parametrize("name", WINDOWS)
def test_tiles(name: str) -> None:
    for edge in range(1, 32):
        size = thin(edge + 2, lying=edge % 2 == 0)
        # The slow reference differentiates a whole tile's weights once for every position.
        assert_agrees(
            mixer_of(name, edge), 4, size, shifted=edge % 3 > 0, seed=edge, gradient=edge < 8
        )
