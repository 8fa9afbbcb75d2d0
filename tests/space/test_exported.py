"""`torch.export` and ONNX with a free batch: the same results at several batch sizes."""

import io
import logging
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim

import space.zoo  # noqa: F401  registers the zoo with timm, and makes timm importable
from space import MixerType
from tests.space.cells import (
    assert_alike,
    every_mixer_type_and_block_type_slowly,
    images,
    small_network,
)

import timm  # isort: skip


def reloaded(network: nn.Module, example: Tensor) -> nn.Module:
    """The exported program, saved and loaded."""
    program = torch.export.export(network, (example,), dynamic_shapes=({0: Dim("batch")},))
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    return torch.export.load(file).module()


@every_mixer_type_and_block_type_slowly()
def test_an_exported_network_takes_any_number_of_images(
    mixer_type: MixerType, block_type: str
) -> None:
    network = small_network(mixer_type, block_type)
    exported = reloaded(network, images(2))
    for count in (3, 1):
        batch = images(count)
        assert_alike(exported(batch), network(batch))
    found, expected = (images(3).requires_grad_() for _ in range(2))
    expected.data.copy_(found.data)
    exported(found).square().sum().backward()
    network(expected).square().sum().backward()
    assert found.grad is not None
    assert expected.grad is not None
    assert_alike(found.grad, expected.grad, 1e-4)


def in_onnx_runtime(network: nn.Module, example: Tensor) -> Any:
    """A session of the network, exported with a free batch."""
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts
        program = torch.onnx.export(
            network, (example,), dynamo=True, dynamic_shapes=({0: Dim("batch")},), verbose=False
        )
    assert program is not None
    file = io.BytesIO()
    program.save(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file.getvalue(), options)


def run(session: Any, batch: Tensor) -> Tensor:
    (inputs,) = session.get_inputs()
    assert isinstance(inputs.shape[0], str), "the batch is free"
    return torch.from_numpy(session.run(None, {inputs.name: batch.numpy()})[0])


@pytest.mark.thorough
@every_mixer_type_and_block_type_slowly("dynamic dw-s conv.")
def test_onnx_runtime_computes_the_same(mixer_type: MixerType, block_type: str) -> None:
    network = small_network(mixer_type, block_type)
    session = in_onnx_runtime(network, images(2))
    for count in (1, 5):
        batch = images(count)
        with torch.no_grad():
            assert_alike(run(session, batch), network(batch), 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", timm.list_models("mixspace_*tiny*"))
def test_networks_of_the_zoo_are_exported(name: str) -> None:
    model = timm.create_model(name, img_size=64, num_classes=4).eval()
    batch = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        assert_alike(reloaded(model, torch.randn(2, 3, 64, 64))(batch), model(batch), 1e-4)
