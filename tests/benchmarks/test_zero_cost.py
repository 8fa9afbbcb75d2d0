"""Zero-cost scores on networks for which each is known in closed form, or by its loops."""

import copy
import math
from itertools import islice
from typing import cast

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.proxies.zero_cost import SCORES, Batch, score
from space.networks import Network, build
from tests.benchmarks.synthetic import TINY

IMAGES, SIDE, CLASSES = 6, 4, 3


class Small(nn.Module):
    """Layers on flat images, with the parts of a Network that scores ask for."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        return [self.layers(images)]

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_stages(images)[-1]


def small(*layers: nn.Module) -> Network:
    return cast(Network, Small(*layers))


def flat(classes: int = CLASSES) -> nn.Linear:
    return nn.Linear(SIDE * SIDE, classes, bias=False)


@pytest.fixture
def batches() -> list[Batch]:
    generator = torch.Generator().manual_seed(5)
    return [
        (
            torch.randn(IMAGES, 1, SIDE, SIDE, generator=generator),
            torch.randint(CLASSES, (IMAGES,), generator=generator),
        )
        for _ in range(2)
    ]


def slope(weight: Tensor, batch: Batch) -> Tensor:
    """Of the loss of a linear softmax: (p - y)ᵀ x, over the images."""
    x = batch[0].flatten(1)
    p = torch.softmax(x @ weight.T, 1)
    return (p - functional.one_hot(batch[1], CLASSES)).T @ x / IMAGES


def test_gradients_are_those_of_a_linear_softmax(batches: list[Batch]) -> None:
    layer = flat()
    network = small(nn.Flatten(), layer)
    expected = slope(layer.weight.detach(), batches[0])
    assert score("gradient norm", network, batches) == pytest.approx(float(expected.norm()), 1e-5)
    snip = float((layer.weight.detach() * expected).abs().sum())
    assert score("SNIP", network, batches) == pytest.approx(snip, 1e-5)


def test_zico_is_mean_over_deviation_of_the_gradients(batches: list[Batch]) -> None:
    layer = flat()
    one, other = (slope(layer.weight.detach(), batch) for batch in batches)
    ratios = ((one.abs() + other.abs()) / 2) / ((one - other).abs() / 2)
    found = score("ZiCo", small(nn.Flatten(), layer), batches)
    assert found == pytest.approx(float(ratios.sum().log()), 1e-4)
    same = [batches[0], batches[0]]
    assert score("ZiCo", small(nn.Flatten(), layer), same) == 0


def test_synflow_of_linear_layers_is_the_flow_through_all_of_them(batches: list[Batch]) -> None:
    first, second = flat(5), nn.Linear(5, CLASSES, bias=False)
    flow = float((second.weight.abs() @ first.weight.abs()).sum().detach())
    found = score("SynFlow", small(nn.Flatten(), first, second), batches)
    assert found == pytest.approx(math.log(2 * flow), 1e-6)


def test_jacobians_of_a_linear_network_are_all_alike(batches: list[Batch]) -> None:
    found = score("Jacobian covariance", small(nn.Flatten(), flat()), batches)
    k = 1e-5
    alike = math.log(IMAGES + k) + 1 / (IMAGES + k) + (IMAGES - 1) * (math.log(k) + 1 / k)
    assert found == pytest.approx(-alike, 1e-3)
    bent = score("Jacobian covariance", small(nn.Flatten(), flat(16), nn.GELU(), flat()), batches)
    assert bent > found


@pytest.mark.parametrize("gate", [nn.ReLU, nn.GELU])
def test_naswot_counts_the_signs_that_images_share(
    gate: type[nn.Module], batches: list[Batch]
) -> None:
    layer = flat(20)
    network = small(nn.Flatten(), layer, gate())
    on = (batches[0][0].flatten(1) @ layer.weight.detach().T > 0).tolist()
    counts = [[float(sum(x == y for x, y in zip(a, b, strict=True))) for b in on] for a in on]
    kernel = torch.tensor(counts, dtype=torch.double)
    assert score("NASWOT", network, batches) == pytest.approx(float(torch.logdet(kernel)), 1e-6)


@pytest.mark.parametrize("norm", [False, True])
def test_zen_rises_with_the_logarithm_of_a_scale_and_batch_norm_hides_none(
    norm: bool, batches: list[Batch]
) -> None:
    layers: list[nn.Module] = [nn.Conv2d(1, 4, 3, bias=False), *[nn.BatchNorm2d(4)] * norm]
    network = small(*layers)
    before = score("Zen", network, batches)
    with torch.no_grad():
        cast(nn.Conv2d, layers[0]).weight.mul_(8)
    assert score("Zen", network, batches) == pytest.approx(before + math.log(8), abs=1e-3)


def test_every_score_of_a_real_network_is_finite_and_leaves_it_as_it_was() -> None:
    generator = torch.Generator().manual_seed(0)
    batches = [(torch.randn(4, 1, 28, 28, generator=generator), torch.arange(4)) for _ in range(2)]
    for architecture in islice(TINY.space().enumerate(), 0, 800, 400):  # two types of block
        network = build(architecture, seed=0)
        before = copy.deepcopy(network.state_dict())
        found = {name: score(name, network, batches) for name in SCORES}
        assert all(math.isfinite(value) for value in found.values()), found
        assert found == {name: score(name, network, batches) for name in SCORES}
        after = network.state_dict()
        assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
        assert all(weight.grad is None for weight in network.parameters())
