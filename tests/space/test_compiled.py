"""`torch.compile(fullgraph=True)`: one graph, with the same results and gradients."""

import pytest
import torch
from torch import Tensor

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from space import MixerType, mixer_type_named
from space.networks import Network
from tests.space.cells import (
    assert_alike,
    every_mixer_type_and_block_type_slowly,
    images,
    small_network,
)

import timm  # isort: skip


def gradients(network: Network, run: object, batch: Tensor) -> list[Tensor]:
    network.zero_grad()
    torch.manual_seed(0)
    run(batch).square().sum().backward()  # type: ignore[operator]
    return [each.grad.clone() for each in network.parameters() if each.grad is not None]


def assert_compiles(
    network: Network, backend: str, counts: tuple[int, ...] = (2, 3), *, any_batch: bool = False
) -> None:
    """For batches of these sizes: the second is compiled for any size, or the first already."""
    torch._dynamo.reset()
    compiled = torch.compile(network, fullgraph=True, backend=backend)
    for count in counts:
        batch = images(count)
        if any_batch:
            torch._dynamo.mark_dynamic(batch, 0)
        assert_alike(compiled(batch), network(batch), 1e-4)
        pairs = zip(
            gradients(network, compiled, batch), gradients(network, network, batch), strict=True
        )
        for found, expected in pairs:
            scale = max(1.0, float(expected.abs().max()))
            assert_alike(found / scale, expected / scale, 1e-4)


@every_mixer_type_and_block_type_slowly("dynamic local-s mlp")
def test_one_graph_with_the_same_results(mixer_type: MixerType, block_type: str) -> None:
    assert_compiles(small_network(mixer_type, block_type), "eager", counts=(2,))


@pytest.mark.slow
@every_mixer_type_and_block_type_slowly()
def test_its_gradients_are_one_graph_too(mixer_type: MixerType, block_type: str) -> None:
    """In train mode, through the graphs that inductor would compile."""
    assert_compiles(small_network(mixer_type, block_type), "aot_eager")


COMPILED = ["dynamic dw-s conv.", "dynamic local-s mlp", "neighbourhood attention", "local vit"]


@pytest.mark.slow
@pytest.mark.parametrize("any_batch", [False, True])
@pytest.mark.parametrize("name", COMPILED)
def test_inductor_computes_the_same(name: str, any_batch: bool) -> None:
    """Maps of any size, `dynamic=True`, are beyond PyTorch 2.13: it cannot order their strides."""
    pytest.importorskip("torch._inductor")
    network = small_network(mixer_type_named(name), "conv")
    try:
        assert_compiles(network, "inductor", any_batch=any_batch)
    except torch._inductor.exc.InductorError as error:
        if "compiler" not in str(error).lower():
            raise
        pytest.skip("no C++ compiler here")


@pytest.mark.slow
@pytest.mark.parametrize("name", timm.list_models("mixspace_*tiny*"))
def test_networks_of_the_zoo_are_one_graph(name: str) -> None:
    torch._dynamo.reset()
    model = timm.create_model(name, img_size=64, num_classes=4).eval()
    batch = torch.randn(2, 3, 64, 64)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert_alike(compiled(batch), model(batch), 1e-4)
