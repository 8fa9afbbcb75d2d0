"""Each of the 74 mixer types in each block type: built, and trained a step in float32."""

from typing import Any

import pytest
import torch

from space import BLOCK_TYPES, Architecture, Mixer, MixerType, all_mixer_types, cost
from space.axes import Locality
from space.networks import build
from tests.space.strategies import type_fields
from tests.support.thorough import thorough_but_every


def mixer_fields(mixer_type: MixerType) -> dict[str, Any]:
    """A mixer of the mixer type whose counts divide 8 channels, by what applies to it."""
    sizes = {"kernel_size": 3, "groups": 2, "heads": 2, "ratio": 2}
    if mixer_type.locality is Locality.WINDOW:
        sizes["kernel_size"] = 2
    applicable = Mixer.applicable(*mixer_type.values)
    return type_fields(mixer_type) | {
        name: size for name, size in sizes.items() if name in applicable
    }


def network_of(mixer_type: MixerType, block_type: str) -> Architecture:
    stages = [
        {"depth": 2, "width": 8, "mlp_ratio": 2, "mixers": [mixer_fields(mixer_type)]},
        {"depth": 1, "width": 16, "mlp_ratio": 2, "mixers": [mixer_fields(mixer_type)]},
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
@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_a_step_lowers_the_loss(mixer_type: MixerType, block_type: str) -> None:
    torch.manual_seed(0)
    architecture = network_of(mixer_type, block_type)
    assert all(mixer.type == mixer_type for mixer in architecture.mixers())
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
@pytest.mark.parametrize(
    "mixer_type",
    thorough_but_every(3, all_mixer_types()),
    ids=lambda mixer_type: mixer_type.label,
)
def test_one_image_trains(mixer_type: MixerType, block_type: str) -> None:
    torch.manual_seed(0)
    network = build(network_of(mixer_type, block_type))
    logits = network(torch.randn(1, 2, 20, 14))
    logits.square().sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
