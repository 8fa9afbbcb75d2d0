"""`torch.jit.trace`: saved, loaded, and called with any number of images."""

import io
import warnings

import pytest
import torch

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from space import MixerType
from tests.space.cells import (
    assert_alike,
    every_mixer_type_and_block_type_slowly,
    images,
    small_network,
)

import timm  # isort: skip


def saved_trace(network: torch.nn.Module, example: torch.Tensor) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's, of all of torch.jit
        file = io.BytesIO()
        torch.jit.save(torch.jit.trace(network, example, check_trace=False), file)
        file.seek(0)
        return torch.jit.load(file)


@every_mixer_type_and_block_type_slowly(
    "dynamic dw-s conv.", "neighbourhood attention", "local vit", "pvt", "sep. mlp"
)
def test_a_trace_takes_any_number_of_images(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type)
    traced = saved_trace(network, images(2))
    for count in (5, 1, 0):
        batch = images(count)
        assert_alike(traced(batch), network(batch))


@every_mixer_type_and_block_type_slowly("dynamic dw-s conv.", "neighbourhood attention")
def test_a_trace_has_the_gradients(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type)
    traced = saved_trace(network, images(2))
    found, expected = images(3).requires_grad_(), None
    traced(found).square().sum().backward()
    expected = found.detach().clone().requires_grad_()
    network(expected).square().sum().backward()
    assert found.grad is not None
    assert expected.grad is not None
    assert_alike(found.grad, expected.grad, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", timm.list_models("mixspace_*tiny*"))
def test_networks_of_the_zoo_are_traced(name: str) -> None:
    model = timm.create_model(name, img_size=64, num_classes=4).eval()
    traced = saved_trace(model, torch.randn(2, 3, 64, 64))
    for count in (5, 0):
        batch = torch.randn(count, 3, 64, 64)
        assert_alike(traced(batch), model(batch), 1e-4)
