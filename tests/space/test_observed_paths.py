"""Which path the mixers of a network take is seen where they run, printed and written down."""

import pytest
import torch
from torch import nn

from space import Mixer
from space.geometry import MapSize
from space.native_library import compiler
from space.operator_choice import Choice, operators
from space.operators import TokenMixer
from space.operators.observed_paths import observed_paths

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")
SIZE = MapSize(4, 4)


def two_mixers() -> nn.Module:
    """One of neighbourhoods and one of products, which are computed in one way alone."""
    both = (Mixer.named("Dynamic Local-S MLP", kernel_size=3, heads=2), Mixer.named("Sep. MLP"))
    return nn.Sequential(*(TokenMixer(mixer, 4, SIZE) for mixer in both))


@needs_compiler
@pytest.mark.parametrize(("choice", "path"), [("auto", "fused"), ("plain", "plain")])
def test_the_path_is_seen_and_printed(choice: Choice, path: str) -> None:
    network = two_mixers()
    with operators(choice), observed_paths(network) as paths:
        assert paths == {}
        network(torch.randn(2, 4, 4, 4))
        assert paths == {"0.mixing": path}
        assert f"4×4, {path}" in repr(network[0])
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_under_autocast_what_counts_is_the_type_of_the_maps() -> None:
    network = two_mixers()
    with observed_paths(network) as paths, torch.autocast("cpu", torch.bfloat16):
        network(torch.randn(2, 4, 4, 4).bfloat16())
    assert paths == {"0.mixing": "plain"}  # there are no kernels for half precision on CPUs


@pytest.mark.parametrize(("edge", "path"), [(4, "plain"), (12, "fused")])
def test_attention_is_fused_where_it_wins(edge: int, path: str) -> None:
    mixer = TokenMixer(Mixer.named("ViT", heads=2), 4, MapSize(edge, edge))
    with observed_paths(mixer) as paths:
        mixer(torch.randn(1, 4, edge, edge))
    assert paths == {"mixing": path}
    assert f"{edge}×{edge}, {path}" in repr(mixer)


@needs_compiler
@pytest.mark.parametrize(
    ("name", "kernel_size", "path"),
    [("DW-S Conv.", 3, "plain"), ("DW-S Conv.", 5, "fused"), ("Dynamic DW-S Conv.", 3, "fused")],
)
def test_depthwise_convolution_is_fused_where_it_wins(
    name: str, kernel_size: int, path: str
) -> None:
    mixer = TokenMixer(Mixer.named(name, kernel_size=kernel_size), 4, SIZE).eval()
    with observed_paths(mixer) as paths:
        mixer(torch.randn(2, 4, 4, 4))
    assert paths == {"mixing": path}
    assert f"4×4, {path}" in repr(mixer)


def test_a_mixer_without_a_choice_says_nothing() -> None:
    mixer = TokenMixer(Mixer.named("LR MLP", ratio=2), 4, SIZE)
    with observed_paths(mixer) as paths:
        mixer(torch.randn(1, 4, 4, 4))
    assert paths == {}
    assert "fused" not in repr(mixer)
    assert "plain" not in repr(mixer)


@pytest.mark.parametrize("name", ["DW-S Conv.", "Dynamic DW-S Conv.", "Dynamic Local-S MLP"])
def test_on_the_meta_device_it_is_the_plain_path(name: str) -> None:
    heads = {"heads": 2} if name == "Dynamic Local-S MLP" else {}
    mixer = TokenMixer(Mixer.named(name, kernel_size=5, **heads), 4, SIZE).to("meta").eval()
    assert mixer(torch.empty(2, 4, 4, 4, device="meta")).shape == (2, 4, 4, 4)
    assert "4×4, plain" in repr(mixer)
