"""Gradients of gradients, against differences of gradients, and forward-mode ones: of every mixer
type.
"""

import pytest
import torch
from torch import Tensor
from torch.autograd import grad, gradgradcheck

from space import Mixer, MixerType
from space.geometry import MapSize
from space.operators import TokenMixer
from space.operators.neighbourhood import neighbourhood_dot, neighbourhood_sum
from tests.space.cells import (
    every_mixer_type,
    every_mixer_type_and_block_type,
    images,
    small_network,
)
from tests.space.test_every_mixer_type_trains import mixer_fields


@every_mixer_type_and_block_type()
def test_the_curvature_along_a_line_is_that_of_gradients(
    mixer_type: MixerType, block_type: str
) -> None:
    """Hessian times direction, by a second backward pass and by a difference of two gradients."""
    network = small_network(mixer_type, block_type).double()
    values = [images(2).double().requires_grad_(), *network.parameters()]
    directions = [torch.randn_like(value) for value in values]

    def slopes(create_graph: bool = False) -> list[Tensor]:
        found = grad(network(values[0]).square().sum(), values, create_graph=create_graph)
        return list(found)

    along = sum((a * b).sum() for a, b in zip(slopes(True), directions, strict=True))
    assert isinstance(along, Tensor)
    curved = grad(along, values, allow_unused=True)
    step, ends = 1e-7, []  # small: a ReLU between the two ends would spoil the difference
    for side in (1, -1):
        _move(values, directions, side * step)
        ends.append(slopes())
        _move(values, directions, -side * step)
    for found, after, before in zip(curved, *ends, strict=True):
        expected = (after - before) / (2 * step)
        found = torch.zeros_like(expected) if found is None else found
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * _size(expected))


@every_mixer_type()
def test_forward_mode_derivatives_are_those_of_backward_passes(mixer_type: MixerType) -> None:
    """⟨u, J v⟩ by a forward pass of derivatives, and by a backward one."""
    torch.manual_seed(0)
    mixer = Mixer.from_dict(mixer_fields(mixer_type))
    module = TokenMixer(mixer, 8, MapSize(5, 4), shifted=True).double().eval()
    x, direction, weights = torch.randn(3, 2, 8, 5, 4, dtype=torch.float64)
    y, along = torch.func.jvp(module, (x,), (direction,))
    torch.testing.assert_close(y, module(x))
    _, back = torch.func.vjp(module, x)
    torch.testing.assert_close((weights * along).sum(), (back(weights)[0] * direction).sum())


def _move(values: list[Tensor], directions: list[Tensor], step: float) -> None:
    with torch.no_grad():
        for value, direction in zip(values, directions, strict=True):
            value.add_(direction, alpha=step)


def _size(x: Tensor) -> float:
    return max(1.0, float(x.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2])
def test_sums_and_products_over_neighbourhoods_have_derivatives_of_any_order(batch: int) -> None:
    torch.manual_seed(0)
    weights = torch.randn(batch, 1, 9, 2, 2, dtype=torch.float64, requires_grad=True)
    x, y = torch.randn(2, 2, 1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    assert gradgradcheck(lambda w, x: neighbourhood_sum(w, x, 3), (weights, x))
    assert gradgradcheck(lambda x, y: neighbourhood_dot(x, y, 3), (x, y))
    third = neighbourhood_sum(weights, x, 3).pow(3).sum()
    for _ in range(3):
        (slope,) = grad(third, x, create_graph=True)
        third = slope.pow(2).sum()
    assert third.isfinite()
