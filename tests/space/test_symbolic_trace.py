"""FX: symbolic traces, and torchvision's features made of them."""

import copy
import pickle

import pytest
import torch
from torch import fx

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from space import InputError, Mixer, MixerType, mixer_type_named
from space.geometry import MapSize
from space.operators import TokenMixer
from space.operators.layers import BatchNorm, DropPath
from tests.space.cells import (
    assert_alike,
    every_mixer_type,
    every_mixer_type_and_block_type_slowly,
    images,
    small_network,
)
from tests.space.test_every_mixer_type_trains import mixer_fields

import timm  # isort: skip
from torchvision.models.feature_extraction import create_feature_extractor  # isort: skip


@every_mixer_type()
def test_a_traced_mixer_computes_the_same(mixer_type: MixerType) -> None:
    torch.manual_seed(0)
    mixer = Mixer.from_dict(mixer_fields(mixer_type))
    operator = TokenMixer(mixer, 8, MapSize(5, 4), shifted=True).eval()
    traced = fx.symbolic_trace(operator, {"context": None})
    for count in (3, 0):
        values = torch.randn(count, 8, 5, 4)
        assert torch.equal(traced(values), operator(values))


@every_mixer_type_and_block_type_slowly(
    "dynamic dw-s conv.", "neighbourhood attention", "local vit", "pvt", "sep. mlp"
)
def test_a_traced_network_computes_the_same(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type)
    traced = fx.symbolic_trace(network)
    for graph in (traced, copy.deepcopy(traced), pickle.loads(pickle.dumps(traced))):
        for count in (3, 1, 0):
            batch = images(count)
            assert torch.equal(graph(batch), network(batch))


def test_a_trace_follows_train_and_eval_mode() -> None:
    """Norms and stochastic depth stand in it whole, as PyTorch's own layers do."""
    network = small_network(mixer_type_named("dynamic dw-s conv."), "conv").train()
    for part in network.modules():
        if isinstance(part, DropPath):
            part.rate = 0.5
    batch = images(4)
    traced = fx.symbolic_trace(copy.deepcopy(network))
    for mode in (True, False):
        network.train(mode)
        traced.train(mode)
        results = []
        for run in (network, traced):
            torch.manual_seed(1)
            results.append(run(batch))
        assert torch.equal(*results)
    whole = (node.target for node in traced.graph.nodes if node.op == "call_module")
    kinds = {type(traced.get_submodule(str(place))) for place in whole}
    assert {BatchNorm, DropPath} <= kinds
    norms = dict(network.named_buffers())
    for name, buffer in traced.named_buffers():
        assert torch.equal(buffer, norms[name]), name


def test_a_trace_refuses_maps_of_another_size() -> None:
    traced = fx.symbolic_trace(small_network(mixer_type_named("local vit"), "prenorm"))
    with pytest.raises(InputError, match="was built for maps of 5×4 positions and got one of 8×8"):
        traced(torch.randn(1, 2, 16, 16))


@pytest.mark.parametrize("name", ["local vit", "dynamic dw-s conv."])
def test_torchvision_extracts_features(name: str) -> None:
    network = small_network(mixer_type_named(name), "prenorm")
    features = create_feature_extractor(network, {"stages.0": "maps", "head": "logits"})
    batch = images(3)
    found = features(batch)
    assert torch.equal(found["maps"], network.forward_stages(batch)[0])
    assert torch.equal(found["logits"], network(batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", timm.list_models("mixspace_*tiny*"))
def test_networks_of_the_zoo_are_traced(name: str) -> None:
    model = timm.create_model(name, img_size=64, num_classes=4).eval()
    traced, batch = fx.symbolic_trace(model), torch.randn(2, 3, 64, 64)
    assert_alike(traced(batch), model(batch))
