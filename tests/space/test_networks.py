"""Built networks: shapes, training, and the modes that break others."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from space import Architecture, InputError, Mixer, MixerType, all_mixer_types
from space.architecture import Stem, StemType
from space.geometry import MapSize
from space.networks import build
from space.networks.stem_and_head import PatchStem
from space.operators import TokenMixer
from space.published import ENTRIES
from tests.space.spaces import everything
from tests.space.test_every_mixer_type_trains import mixer_fields


def sampled(seed: int, count: int) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    space = everything()
    return [space.sample(rng) for _ in range(count)]


def images(architecture: Architecture, batch: int) -> torch.Tensor:
    shape = architecture.input
    return torch.randn(batch, shape.channels, shape.height, shape.width)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_training_step_reaches_every_parameter(batch: int) -> None:
    torch.manual_seed(0)
    for architecture in sampled(seed=batch, count=25):
        network = build(architecture, drop_path_rate=0.0)
        logits = network(images(architecture, batch))
        assert logits.shape == (batch, architecture.head.classes)
        torch.nn.functional.cross_entropy(logits, torch.zeros(batch, dtype=torch.long)).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, (name, architecture.to_json())
            assert torch.isfinite(parameter.grad).all(), (name, architecture.to_json())


def test_images_of_a_batch_do_not_see_each_other_in_eval_mode() -> None:
    torch.manual_seed(0)
    for architecture in sampled(seed=7, count=15):
        network = build(architecture).double().eval()
        batch = images(architecture, 3).double()
        alone = torch.cat([network(image[None]) for image in batch])
        torch.testing.assert_close(network(batch), alone, rtol=1e-9, atol=1e-9)


@given(
    patch_size=st.integers(1, 5),
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    kind=st.sampled_from(["patch", "overlap", "pool"]),
)
def test_a_stem_gives_the_map_that_the_architecture_says(
    patch_size: int, height: int, width: int, kind: StemType
) -> None:
    assume(kind != "pool" or patch_size % 2 == 0)
    stem = PatchStem(2, 4, Stem(patch_size, kind))
    tokens = stem(torch.randn(1, 2, height, width))
    size = MapSize(height, width).reduced(patch_size)
    assert tokens.shape == (1, 4, size.height, size.width)


def test_a_pooled_token_is_the_largest_of_four_finer_ones() -> None:
    """In eval mode, against a convolution that is read position by position."""
    torch.manual_seed(0)
    stem, image = PatchStem(1, 3, Stem(4, "pool")).eval(), torch.randn(1, 1, 9, 8)
    stem.norm.weight.data = torch.tensor([1.0, 0.5, 2.0])
    stem.norm.running_mean.data = torch.tensor([0.1, -0.2, 0.3])
    padded, weight = nn.functional.pad(image, (2, 2, 2, 2)), stem.project.weight
    tokens = stem(image)[0]
    for row, column in itertools.product(range(3), range(2)):
        fine = [
            stem.project.bias + (weight * padded[:, :, y : y + 5, x : x + 5]).sum((1, 2, 3))
            for y in (4 * row, 4 * row + 2)
            for x in (4 * column, 4 * column + 2)
            if y < 9 and x < 8
        ]
        largest = torch.stack(fine).amax(0)
        norm = (largest - stem.norm.running_mean) / (stem.norm.running_var + 1e-5).sqrt()
        wanted = (norm * stem.norm.weight + stem.norm.bias).relu()
        torch.testing.assert_close(tokens[:, row, column], wanted, rtol=1e-5, atol=1e-5)


def test_memory_format_does_not_change_the_result() -> None:
    torch.manual_seed(0)
    for architecture in sampled(seed=11, count=15):
        network = build(architecture).eval()
        batch = images(architecture, 2)
        expected = network(batch)
        network = network.to(memory_format=torch.channels_last)
        channels_last = network(batch.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(channels_last, expected, rtol=1e-4, atol=1e-4)


def test_drop_path_grows_linearly_and_is_idle_in_eval_mode() -> None:
    architecture = sampled(seed=3, count=1)[0]
    network = build(architecture, drop_path_rate=0.3)
    rates = [block.drop_path.rate for stage in network.stages for block in stage]
    assert rates == pytest.approx(list(np.linspace(0, 0.3, len(rates))))
    network.eval()
    batch = images(architecture, 2)
    torch.testing.assert_close(network(batch), network(batch))


@pytest.mark.thorough
def test_weights_by_fan_in_keep_the_scale_of_their_input() -> None:
    architecture = ENTRIES["dynamic_dwnet_tiny"].architecture
    torch.manual_seed(0)
    network = build(architecture, weight_init="fan_in")
    published = build(architecture)
    layers = 0
    for layer, before in zip(network.modules(), published.modules(), strict=True):
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            deviation = float(layer.weight.detach().std()) * fan_in**0.5
            assert deviation == pytest.approx(1, rel=4 / layer.weight.numel() ** 0.5)
            assert float(layer.weight.abs().max()) * fan_in**0.5 < 2.3
            assert layer.bias is None or not layer.bias.any()
            layers += 1
        else:
            own = [layer.parameters(recurse=False), before.parameters(recurse=False)]
            for one, other in zip(*own, strict=True):
                constant = other.std() == 0
                assert torch.equal(one, other) or not constant
    assert layers > 50


def test_first_weights_of_another_kind_are_refused() -> None:
    with pytest.raises(InputError, match="must be one of published, fan_in, lecun; got 'xavier'"):
        build(ENTRIES["swin_tiny"].architecture, weight_init="xavier")  # type: ignore[arg-type]


def test_an_oversized_operator_is_refused() -> None:
    from space import InputError, Mixer
    from space.geometry import MapSize
    from space.operators import TokenMixer
    from tests.space.test_architecture import attention

    with pytest.raises(InputError, match="heads: 2 does not divide 3 channels"):
        TokenMixer(Mixer.from_dict(attention("global")), 3, MapSize(2, 2))


def test_a_map_of_another_size_is_refused_with_both_sizes() -> None:
    network = build(ENTRIES["swin_tiny"].architecture)
    message = r"size: Local ViT k7 h3 was built for maps of 56×56 positions and got one of 28×20"
    with pytest.raises(InputError, match=message):
        network(torch.randn(1, 3, 112, 80))


@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_a_mixer_takes_another_size_or_says_that_it_does_not(mixer_type: MixerType) -> None:
    mixer = Mixer.from_dict(mixer_fields(mixer_type))
    operator = TokenMixer(mixer, 8, MapSize(6, 5))
    values = torch.randn(2, 8, 4, 7)
    if operator.plan.takes_any_size:
        assert operator(values).shape == values.shape
        return
    with pytest.raises(InputError, match="built for maps of 6×5 positions and got one of 4×7"):
        operator(values)
