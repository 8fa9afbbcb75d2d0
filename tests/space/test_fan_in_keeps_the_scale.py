"""First weights by fan-in: no operator starts far below, or far above, the scale of its input."""

import pytest
import torch
from torch import Tensor, nn

from space import Cell, all_cells
from space.networks import build
from space.operators import TokenMixer
from tests.space.test_every_cell_trains import network_of

LEAST, MOST = 0.1, 2.5


def scales(cell: Cell) -> tuple[list[float], float]:
    """By how much each mixer changes the deviation of its input, and that of the logits.

    In the block that normalises before the mixer, so that what comes out of it stands as it is.
    """
    torch.manual_seed(0)
    network = build(network_of(cell, "prenorm"), weight_init="lecun")
    found: list[float] = []

    def note(part: nn.Module, given: tuple[Tensor], result: Tensor) -> None:
        found.append(float(result.std() / given[0].std()))

    for part in network.modules():
        if isinstance(part, TokenMixer):
            part.register_forward_hook(note)
    with torch.no_grad():
        logits = network(torch.randn(16, 2, 20, 14))
    return found, float(logits.std())


@pytest.mark.parametrize("cell", all_cells(), ids=lambda cell: cell.label)
def test_an_operator_keeps_the_scale_of_its_input(cell: Cell) -> None:
    mixers, logits = scales(cell)
    assert mixers
    assert min(mixers) > LEAST
    assert max(mixers) < MOST
    assert 0.1 < logits < 2.5
