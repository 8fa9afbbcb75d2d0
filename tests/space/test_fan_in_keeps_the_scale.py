"""First weights by fan-in: no operator starts far below, or far above, the scale of its input."""

import pytest
import torch
from torch import Tensor, nn

from space import Mixer, MixerType, all_mixer_types
from space.axes import Dynamics, Rank
from space.geometry import MapSize
from space.networks import build
from space.operators import TokenMixer
from space.structure.connectivity import connectivity
from space.weight_sources.static.module import StaticWeights
from tests.space.test_every_mixer_type_trains import mixer_fields, network_of

LEAST, MOST = 0.1, 2.5


def scales(mixer_type: MixerType) -> tuple[list[float], float]:
    """By how much each mixer changes the deviation of its input, and that of the logits.

    In the block that normalises before the mixer, so that what comes out of it stands as it is.
    """
    torch.manual_seed(0)
    network = build(network_of(mixer_type, "prenorm"), weight_init="lecun")
    found: list[float] = []

    def note(part: nn.Module, given: tuple[Tensor], result: Tensor) -> None:
        found.append(float(result.std() / given[0].std()))

    for part in network.modules():
        if isinstance(part, TokenMixer):
            part.register_forward_hook(note)
    with torch.no_grad():
        logits = network(torch.randn(16, 2, 20, 14))
    return found, float(logits.std())


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_an_operator_keeps_the_scale_of_its_input(mixer_type: MixerType) -> None:
    mixers, logits = scales(mixer_type)
    assert mixers
    assert min(mixers) > LEAST
    assert max(mixers) < MOST
    assert 0.1 < logits < 2.5


STATIC = [
    c for c in all_mixer_types() if c.dynamics is Dynamics.STATIC and c.rank is not Rank.JOINT
]


@pytest.mark.parametrize("mixer_type", STATIC, ids=lambda mixer_type: mixer_type.label)
def test_static_weights_begin_as_those_of_a_convolution_that_reads_as_much(
    mixer_type: MixerType,
) -> None:
    """PyTorch's: even up to 1/√n, n being what a sum reads, positions times channels."""
    mixer, size = Mixer.from_dict(mixer_fields(mixer_type)), MapSize(12, 12)
    operator = TokenMixer(mixer, 16, size)
    masks = connectivity(operator.mixer, 16, size)
    read = int(masks.positions.sum(1).max() * masks.channels.sum(1).max())
    assert operator.mixing is not None
    source = operator.mixing.weights
    assert isinstance(source, StaticWeights)
    weight = source.weight.detach() * read**0.5
    assert float(weight.abs().max()) <= 1 + 1e-6
    assert float((weight**2).mean()) == pytest.approx(1 / 3, rel=4 / weight.numel() ** 0.5)
