"""Networks built on the meta device and loaded, copied, and pickled compute the same."""

import copy
import pickle

import pytest
import torch

from space import MixerType, mixer_type_named
from space.networks import Network, build
from space.operators.computed_buffers import ComputedBuffers
from tests.space.cells import (
    assert_alike,
    every_mixer_type_and_block_type,
    every_mixer_type_and_block_type_slowly,
    images,
    small_network,
)


def on_meta(network: Network) -> Network:
    with torch.device("meta"):
        built = build(network.architecture).eval()
    assert all(each.is_meta for each in [*built.parameters(), *built.buffers()])
    return built


def spoiled(network: Network) -> Network:
    """As after `to_empty`, with nothing left in it that could be right by chance."""
    network = network.to_empty(device="cpu")
    with torch.no_grad():
        for each in [*network.parameters(), *network.buffers()]:
            each.fill_(True if each.dtype is torch.bool else 1)
    return network


@every_mixer_type_and_block_type()
def test_a_network_of_the_meta_device_that_is_loaded_computes_the_same(
    mixer_type: MixerType, block_type: str
) -> None:
    network, batch = small_network(mixer_type, block_type), images(2)
    expected, state = network(batch), network.state_dict()
    loaded = spoiled(on_meta(network))
    loaded.load_state_dict(state)
    assert torch.equal(loaded(batch), expected)
    assigned = on_meta(network)
    assigned.load_state_dict(state, assign=True)
    assert torch.equal(assigned(batch), expected)
    filled = spoiled(on_meta(network))
    with torch.no_grad():
        for name, value in filled.state_dict().items():
            value.copy_(state[name])
    for part in filled.modules():
        if hasattr(part, "init_non_persistent_buffers"):
            part.init_non_persistent_buffers()
    assert torch.equal(filled(batch), expected)


@every_mixer_type_and_block_type_slowly("dynamic dw-s conv.", "local vit", "pvt", "sep. mlp")
def test_copies_and_pickles_compute_the_same(mixer_type: MixerType, block_type: str) -> None:
    network, batch = small_network(mixer_type, block_type), images(2)
    expected = network(batch)
    for made in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(made(batch), expected)
        made.load_state_dict(small_network(mixer_type, block_type).state_dict())  # hooks, too
        assert_alike(made(batch), expected)


@every_mixer_type_and_block_type()
def test_checkpoints_have_no_computed_buffers(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type)
    computed = {
        f"{path}.{name}"
        for path, part in network.named_modules()
        if isinstance(part, ComputedBuffers)
        for name, _ in part.named_buffers(recurse=False)
    }
    held = {name for name, _ in network.named_buffers()} - set(network.state_dict())
    assert held == computed


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_masks_are_no_numbers_of_the_dtype(dtype: torch.dtype) -> None:
    network = small_network(mixer_type_named("local vit"), "prenorm").to(dtype)
    network.load_state_dict(network.state_dict())
    kinds = {name.rsplit(".")[-1]: buffer.dtype for name, buffer in network.named_buffers()}
    assert kinds == {"index": torch.int64, "apart": torch.bool}
    assert network(images(2).to(dtype)).isfinite().all()
