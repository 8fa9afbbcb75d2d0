"""Each of the 74 cells in each block type: built, and trained a step in float32."""

from typing import Any

import pytest
import torch

from space import BLOCK_TYPES, Architecture, Cell, Mixer, all_cells, cost
from space.axes import Locality
from space.networks import build
from tests.space.strategies import cell_fields


def mixer_fields(cell: Cell) -> dict[str, Any]:
    """A mixer of the cell whose counts divide 8 channels, by what applies to it."""
    sizes = {"kernel_size": 3, "groups": 2, "heads": 2, "ratio": 2}
    if cell.locality is Locality.WINDOW:
        sizes["kernel_size"] = 2
    applicable = Mixer.applicable(*cell.values)
    return cell_fields(cell) | {name: size for name, size in sizes.items() if name in applicable}


def network_of(cell: Cell, block_type: str) -> Architecture:
    stages = [
        {"depth": 2, "width": 8, "mlp_ratio": 2, "mixers": [mixer_fields(cell)]},
        {"depth": 1, "width": 16, "mlp_ratio": 2, "mixers": [mixer_fields(cell)]},
    ]
    return Architecture.from_dict(
        {
            "input": {"channels": 2, "height": 20, "width": 14},
            "stem": {"patch_size": 4},
            "block_type": block_type,
            "stages": stages,
            "head": {"classes": 3},
        }
    )


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
@pytest.mark.parametrize("cell", all_cells(), ids=lambda cell: cell.label)
def test_a_step_lowers_the_loss(cell: Cell, block_type: str) -> None:
    torch.manual_seed(0)
    architecture = network_of(cell, block_type)
    assert all(mixer.cell == cell for mixer in architecture.mixers())
    network = build(architecture)
    assert sum(p.numel() for p in network.parameters()) == cost(architecture).params
    images, labels = torch.randn(6, 2, 20, 14), torch.arange(6) % 3
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-3)

    def loss() -> torch.Tensor:
        return torch.nn.functional.cross_entropy(network(images), labels)

    before = loss()
    before.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    optimiser.step()
    assert loss() < before


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
@pytest.mark.parametrize("cell", all_cells(), ids=lambda cell: cell.label)
def test_one_image_trains(cell: Cell, block_type: str) -> None:
    torch.manual_seed(0)
    network = build(network_of(cell, block_type))
    logits = network(torch.randn(1, 2, 20, 14))
    logits.square().sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
