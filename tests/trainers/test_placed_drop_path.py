"""Stochastic depth by the places of images in the whole batch."""

import pytest
import torch
from torch import nn

from space.operators.layers import DropPath
from trainers.batch_places import place_drop_path


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_images_are_kept_as_one_process_would_keep_them(rate: float) -> None:
    network = nn.Sequential(DropPath(rate))
    batch = place_drop_path(network)
    places = torch.tensor([6, 1, 3])
    batch.set(8, places)
    x = torch.randn(3, 2, 4, 4)
    torch.manual_seed(5)
    every = torch.empty(8, 1, 1, 1).bernoulli_(1 - rate) / (1 - rate)
    torch.manual_seed(5)
    found = network.train()(x)
    assert torch.equal(found, x * every[places])
    assert 0 < every.count_nonzero() < 8
    assert torch.equal(network.eval()(x), x)


def test_where_nothing_is_dropped_nothing_is_drawn() -> None:
    network = nn.Sequential(DropPath(0.0))
    place_drop_path(network)  # no places were told
    x = torch.randn(3, 2, 4, 4)
    before = torch.get_rng_state()
    assert torch.equal(network.train()(x), x)
    assert torch.equal(torch.get_rng_state(), before)
