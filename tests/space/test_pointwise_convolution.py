"""1×1 convolutions: what they compute on either way, and which way they take."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.utils._python_dispatch import TorchDispatchMode

from space.operator_choice import operators
from space.operators import layers
from space.operators.layers import PointwiseConvolution


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """And small maps taken as large ones are."""
    monkeypatch.setattr(layers, "_FEW", 0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Called(TorchDispatchMode):
    """The names of the operators that run within it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def convolves(layer: PointwiseConvolution, x: Tensor) -> bool:
    with Called() as called:
        layer(x)
    by_convolution = bool({"convolution", "conv2d"} & called.names)
    assert by_convolution is not bool({"mm", "addmm"} & called.names)
    return by_convolution


def image_maps(*shape: int) -> Tensor:
    return torch.randn(shape).contiguous(memory_format=torch.channels_last)


def derivatives(compute: Callable[[Tensor], Tensor], x: Tensor, of: list[Tensor]) -> list[Tensor]:
    """The result, its gradients, and the gradients of their squares."""
    y = compute(x)
    first = torch.autograd.grad(y.square().sum(), [x, *of], create_graph=True)
    squares = sum(g.square().sum() for g in first)
    second = torch.autograd.grad(squares, [x, *of], materialize_grads=True)  # without images none
    return [y, *first, *second]


@given(
    batch=st.integers(0, 17),
    inputs=st.integers(1, 9),
    outputs=st.integers(1, 9),
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    bias=st.booleans(),
    channels_last=st.booleans(),
)
def test_it_is_the_convolution(
    batch: int,
    inputs: int,
    outputs: int,
    height: int,
    width: int,
    bias: bool,
    channels_last: bool,
) -> None:
    layer = PointwiseConvolution(inputs, outputs, bias)
    form = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(batch, inputs, height, width).contiguous(memory_format=form).requires_grad_()
    parameters = list(layer.parameters())
    found = derivatives(layer, x, parameters)
    wanted = derivatives(lambda x: F.conv2d(x, layer.weight, layer.bias), x, parameters)
    for one, other in zip(found, wanted, strict=True):
        scale = other.abs().max().item() if other.numel() else 0.0
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * max(1.0, scale))


@pytest.mark.parametrize(
    ("batch", "held", "convolution"),
    [
        (1, nullcontext, False),
        (15, nullcontext, False),
        (16, nullcontext, True),
        (1, torch.no_grad, True),
        (1, torch.inference_mode, True),
        (1, lambda: operators("plain"), True),
    ],
    ids=["one", "fifteen", "sixteen", "no gradients", "inference", "plain"],
)
def test_few_images_are_multiplied(
    batch: int, held: Callable[[], AbstractContextManager[Any]], convolution: bool
) -> None:
    layer = PointwiseConvolution(4, 6)
    with held():
        assert convolves(layer, image_maps(batch, 4, 5, 5)) is convolution


@pytest.mark.parametrize("threads", [1, 2])
def test_more_threads_convolve(threads: int) -> None:
    torch.set_num_threads(threads)
    assert convolves(PointwiseConvolution(4, 6), image_maps(2, 4, 5, 5)) is (threads == 2)


def test_other_layouts_types_and_images_without_a_batch_are_convolved() -> None:
    layer = PointwiseConvolution(4, 6)
    x = image_maps(2, 4, 5, 5)
    assert not convolves(layer, x)
    assert convolves(layer, x.contiguous())
    assert convolves(layer, x[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert convolves(layer, x)
    assert convolves(layer.double(), x.double())


def test_small_maps_are_convolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert convolves(PointwiseConvolution(64, 64), image_maps(2, 64, 8, 8))
    assert not convolves(PointwiseConvolution(64, 64), image_maps(2, 64, 28, 28))


def test_gradients_lie_as_the_weights_do() -> None:
    """Or joint training copies them."""
    layer = PointwiseConvolution(4, 6).to(memory_format=torch.channels_last)
    layer(image_maps(2, 4, 5, 5)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.stride() == layer.weight.stride()


def test_a_trace_and_a_compiler_get_the_convolution() -> None:
    layer = PointwiseConvolution(4, 6)
    x = image_maps(2, 4, 5, 5)
    assert "aten::_convolution" in str(torch.jit.trace(layer, x).inlined_graph)
    graphs = []

    def note(module: Any, inputs: Any) -> Any:
        graphs.append(module.code)
        return module

    torch.compile(layer, backend=note, fullgraph=True)(x)
    assert "conv2d" in graphs[0]
    assert "linear" not in graphs[0]


def test_gradients_of_each_image() -> None:
    """`vmap` cannot tell how its tensors lie."""
    layer = PointwiseConvolution(4, 6)
    x = torch.randn(3, 2, 4, 5, 5)

    def loss(weight: Tensor, images: Tensor) -> Tensor:
        return functional_call(layer, {"weight": weight}, (images,)).square().sum()

    found = vmap(grad(loss), (None, 0))(layer.weight.detach(), x)
    for each, images in zip(found, x, strict=True):
        (one,) = torch.autograd.grad(layer(images).square().sum(), layer.weight)
        torch.testing.assert_close(each, one)
