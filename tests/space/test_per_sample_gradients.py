"""`torch.func.vmap`: the gradient of each image, and many networks of one architecture at once."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, stack_module_state, vmap

from space import MixerType, mixer_type_named
from space.networks import Network
from tests.space.cells import (
    assert_alike,
    every_mixer_type_and_block_type,
    every_mixer_type_and_block_type_slowly,
    images,
    off_their_first_values,
    small_network,
)


def loss_of(network: Network) -> Callable[..., Tensor]:
    buffers = dict(network.named_buffers())

    def loss(parameters: dict[str, Tensor], image: Tensor) -> Tensor:
        logits: Tensor = functional_call(network, (parameters, buffers), (image[None],))
        return logits.square().sum()

    return loss


@every_mixer_type_and_block_type()
def test_each_image_has_the_gradient_that_it_has_alone(
    mixer_type: MixerType, block_type: str
) -> None:
    network = small_network(mixer_type, block_type)
    parameters, batch = dict(network.named_parameters()), images(2)
    found = vmap(grad(loss_of(network)), (None, 0))(parameters, batch)
    for place, image in enumerate(batch):
        network.zero_grad()
        network(image[None]).square().sum().backward()
        for name, parameter in parameters.items():
            assert parameter.grad is not None
            scale = max(1.0, float(parameter.grad.abs().max()))
            assert_alike(found[name][place] / scale, parameter.grad / scale)


@every_mixer_type_and_block_type_slowly(
    "conv.", "dynamic dw-s conv.", "neighbourhood attention", "local vit", "pvt", "sep. mlp"
)
def test_networks_of_one_architecture_run_at_once(mixer_type: MixerType, block_type: str) -> None:
    """An ensemble: parameters are mapped over, images are not."""
    one = small_network(mixer_type, block_type)
    other = copy.deepcopy(one)
    off_their_first_values(other)
    state, batch = stack_module_state([one, other]), images(2)  # type: ignore[arg-type]
    found = vmap(lambda own: functional_call(one, own, (batch,)))(state)
    assert_alike(found, torch.stack([one(batch), other(batch)]))


def test_batch_norm_in_train_mode_is_refused_by_torch() -> None:
    """There images of a batch see each other: no gradient is one image's own."""
    network = small_network(mixer_type_named("conv."), "conv").train()
    with pytest.raises(RuntimeError, match="mutate a captured Tensor"):
        vmap(grad(loss_of(network)), (None, 0))(dict(network.named_parameters()), images(2))
