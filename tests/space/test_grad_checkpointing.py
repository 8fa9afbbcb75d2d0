"""Gradient checkpointing changes what is kept, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from space import Architecture, InputError, MixerType, all_mixer_types
from space.networks import Network, build
from space.operators.layers import DropPath
from tests.space.cells import every_mixer_type_and_block_type, images, small_network
from tests.space.test_every_mixer_type_trains import network_of


def step(network: Network, batch: Tensor, checkpointing: bool) -> dict[str, Tensor]:
    """The results of a training step: logits, gradients, and the state of all norms."""
    network.set_grad_checkpointing(checkpointing)
    network.zero_grad()
    torch.manual_seed(1)
    batch = batch.clone().requires_grad_()
    logits = network(batch)
    nn.functional.cross_entropy(logits, torch.arange(len(batch)) % 3).backward()
    found = {"logits": logits.detach(), "images": batch.grad}
    found |= {name: each.grad for name, each in network.named_parameters()}
    found |= {f"buffer {name}": each.clone() for name, each in network.named_buffers()}
    return found  # type: ignore[return-value]


@every_mixer_type_and_block_type()
def test_a_step_is_the_same_to_the_bit(mixer_type: MixerType, block_type: str) -> None:
    """Drop path draws the same blocks, and a batch norm has seen each batch once."""
    network = small_network(mixer_type, block_type).train()
    for part in network.modules():
        if isinstance(part, DropPath):
            part.rate = 0.4
    state = {name: each.clone() for name, each in network.state_dict().items()}
    batch = images(4)
    plain = step(network, batch, checkpointing=False)
    network.load_state_dict(state)
    checkpointed = step(network, batch, checkpointing=True)
    assert plain.keys() == checkpointed.keys()
    for name, expected in plain.items():
        assert torch.equal(checkpointed[name], expected), name


def saved_bytes(network: Network, batch: Tensor) -> int:
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage.nbytes()
        kept.append(tensor)
        return tensor

    kept: list[Tensor] = []
    with saved_tensors_hooks(pack, lambda tensor: tensor):
        network(batch)
    return sum(saved.values())


def deep_network(depth: int = 8) -> Network:
    values = network_of(all_mixer_types()[0], "conv").to_dict()
    values["stages"] = [values["stages"][0] | {"depth": depth}]
    return build(Architecture.from_dict(values))


def test_less_is_kept() -> None:
    network, batch = deep_network(), torch.randn(8, 2, 20, 14)
    own = sum(each.numel() * 4 for each in network.parameters())
    plain = saved_bytes(network, batch)
    network.set_grad_checkpointing()
    assert saved_bytes(network, batch) - own < (plain - own) / 3


def calls_of_blocks(network: Network, run: Callable[[], Any]) -> int:
    calls: list[nn.Module] = []
    handles = [
        block.register_forward_pre_hook(lambda block, _: calls.append(block))
        for block in network.stages[0]  # type: ignore[union-attr]
    ]
    run()
    for handle in handles:
        handle.remove()
    return len(calls)


def test_nothing_is_computed_again_where_no_gradient_is_taken() -> None:
    network, batch = deep_network(), torch.randn(2, 2, 20, 14)
    network.set_grad_checkpointing()
    blocks = len(network.stages[0])  # type: ignore[arg-type]
    with torch.no_grad():
        assert calls_of_blocks(network, lambda: network(batch)) == blocks
    assert calls_of_blocks(network, lambda: network(batch).sum().backward()) == 2 * blocks
    network.set_grad_checkpointing(False)
    assert calls_of_blocks(network, lambda: network(batch).sum().backward()) == blocks


def test_cumulative_statistics_are_kept_too() -> None:
    """A batch norm without momentum averages over all batches that it has counted."""
    found = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        network = deep_network()
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = None
        step(network, torch.randn(4, 2, 20, 14), checkpointing)
        found.append(step(network, torch.randn(4, 2, 20, 14), checkpointing))
    assert all(torch.equal(found[1][name], expected) for name, expected in found[0].items())


@pytest.mark.slow
def test_compiled_networks_take_part() -> None:
    torch.manual_seed(0)
    network, batch = deep_network(depth=2), torch.randn(4, 2, 20, 14)
    state = {name: each.clone() for name, each in network.state_dict().items()}
    plain = step(network, batch, checkpointing=False)
    network.load_state_dict(state)
    network.compile(fullgraph=True, backend="aot_eager")
    compiled = step(network, batch, checkpointing=True)
    for name, expected in plain.items():
        torch.testing.assert_close(compiled[name], expected, rtol=1e-4, atol=1e-4, msg=name)


@pytest.mark.parametrize("value", [1, None, "yes"])
def test_a_switch_is_on_or_off(value: Any) -> None:
    with pytest.raises(InputError, match=r"enable: .* is not allowed; true or false"):
        deep_network().set_grad_checkpointing(value)
