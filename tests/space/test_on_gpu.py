"""Operators on a GPU: the CPU's results, in float32 and under bfloat16 autocast."""

import pytest
import torch

from space import BLOCK_TYPES, MixerType, all_mixer_types
from space.networks import build
from tests.space.test_every_mixer_type_trains import network_of

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_a_gpu_computes_what_the_cpu_does(mixer_type: MixerType, block_type: str) -> None:
    torch.manual_seed(0)
    network = build(network_of(mixer_type, block_type)).eval()
    images = torch.randn(3, 2, 20, 14)
    expected = network.double()(images.double())
    network = network.float().cuda().to(memory_format=torch.channels_last)
    images = images.cuda().contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(images).double().cpu(), expected, rtol=1e-3, atol=1e-3)
    with torch.autocast("cuda", torch.bfloat16):
        logits = network(images)
    torch.testing.assert_close(logits.double().cpu(), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_a_step_in_bfloat16_trains(mixer_type: MixerType) -> None:
    torch.manual_seed(0)
    network = build(network_of(mixer_type, "conv")).cuda().to(memory_format=torch.channels_last)
    images = torch.randn(6, 2, 20, 14, device="cuda")
    with torch.autocast("cuda", torch.bfloat16):
        loss = torch.nn.functional.cross_entropy(
            network(images), torch.arange(6, device="cuda") % 3
        )
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
