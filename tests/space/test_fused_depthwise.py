"""Fused depth-wise convolution, by shared kernels and by an image's own: the same as PyTorch's."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradgradcheck
from torch.utils.flop_counter import FlopCounterMode

from space import Mixer
from space.errors import InputError
from space.geometry import MapSize
from space.native_library import compiler
from space.operator_choice import operators
from space.operators import TokenMixer
from space.operators.depthwise import depthwise_convolved, fused
from tests.space.fused_paths import Order, assert_same, laid, orders

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")

sizes = st.integers(1, 17)
shapes = st.tuples(st.integers(1, 3), st.integers(1, 35), sizes, sizes)


def maps_of(
    shape: tuple[int, ...], kernel_size: int, own: bool, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    images = shape[:1] if own else ()
    weights = torch.randn(*images, shape[1], 1, kernel_size, kernel_size, dtype=dtype)
    return torch.randn(shape, dtype=dtype), weights


@settings(max_examples=50, deadline=None)
@given(
    shapes, st.sampled_from([1, 3, 5, 7, 9, 13, 31]), orders, orders, st.booleans(), st.booleans()
)
def test_it_is_the_convolution(
    shape: tuple[int, ...], kernel_size: int, one: Order, other: Order, own: bool, double: bool
) -> None:
    torch.manual_seed(0)
    dtype = torch.float64 if double else torch.float32
    x, weights = maps_of(shape, kernel_size, own, dtype)
    maps = laid(x, one), laid(weights, other)
    assert_same(depthwise_convolved, maps, 1e-12 if double else 1e-5)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_any_number_of_threads_computes_the_same(threads: int, own: bool, order: Order) -> None:
    """More than there are blocks of channels: rows of maps and of kernels are shared out."""
    before = torch.get_num_threads()
    torch.manual_seed(1)
    maps = [laid(each, order) for each in maps_of((2, 40, 13, 19), 5, own)]
    try:
        torch.set_num_threads(threads)
        assert_same(depthwise_convolved, maps, 1e-5)
    finally:
        torch.set_num_threads(before)


def test_what_is_not_a_number_stays_where_it_is_read() -> None:
    torch.manual_seed(2)
    x, weights = maps_of((2, 3, 6, 17), 5, own=False)
    x[1, 2, 3, 8] = torch.nan
    with operators("fused"):
        found = depthwise_convolved(x, weights)
    read = torch.zeros_like(x, dtype=torch.bool)
    read[1, 2, 1:6, 6:11] = True
    assert torch.equal(found.isnan(), read)


@pytest.mark.parametrize("own", [False, True])
def test_derivatives_of_derivatives_are_right(own: bool) -> None:
    torch.manual_seed(0)
    maps = [each.requires_grad_() for each in maps_of((2, 2, 2, 3), 3, own, torch.float64)]
    with operators("fused"):
        assert gradgradcheck(depthwise_convolved, maps)


@pytest.mark.parametrize("own", [False, True])
@torch.no_grad()
def test_without_derivatives_it_is_the_same(own: bool) -> None:
    """There the kernels are called without what derivatives need; under `vmap` they cannot be."""
    torch.manual_seed(0)
    x, weights = maps_of((2, 3, 6, 5), 5, own)
    several = torch.stack([x, 2 * x])
    with operators("fused"):
        found = depthwise_convolved(x, weights)
        mapped = torch.func.vmap(depthwise_convolved, (0, None))(several, weights)
        with torch.enable_grad():
            assert torch.equal(found, depthwise_convolved(x.requires_grad_(), weights))
    torch.testing.assert_close(mapped, torch.stack([found, 2 * found]))


OPERATORS = [fused.summed, fused.transposed, fused.multiplied]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each._opname)
@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_compiled_graphs_may_hold_them(operator: Callable[..., Tensor], order: Order) -> None:
    x, y = (laid(torch.randn(2, 3, 4, 5), order).detach() for _ in range(2))
    kernels = torch.randn(1, 3, 3, 3)
    several = [(x, y, 3, False), (x, y, 3, True)]
    for arguments in several if operator is fused.multiplied else [(kernels, x, 3)]:
        torch.library.opcheck(operator, arguments, test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize("name", ["DW-S Conv.", "Dynamic DW-S Conv."])
def test_they_stand_in_one_graph(name: str) -> None:
    torch._dynamo.reset()
    torch.manual_seed(0)
    module = TokenMixer(Mixer.named(name, kernel_size=5), 8, MapSize(6, 5)).eval()
    x, graphs = torch.randn(2, 8, 6, 5), []

    def kept(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    with operators("fused"):
        found = torch.compile(module, fullgraph=True, backend=kept)(x)
        assert len(graphs) == 1
        torch.testing.assert_close(found, module(x))


# --- the choice -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kernel_size", "path"),
    [
        ("DW-S Conv.", 3, "plain"),
        ("DW-S Conv.", 5, "fused"),
        ("DW-S Conv.", 31, "fused"),
        ("Dynamic DW-S Conv.", 3, "fused"),
    ],
)
def test_a_printed_network_says_which_path_it_takes(name: str, kernel_size: int, path: str) -> None:
    module = TokenMixer(Mixer.named(name, kernel_size=kernel_size), 32, MapSize(5, 5))
    words = f"{name} k{kernel_size}, 32 channels, 5×5, "
    with operators("auto"):
        assert words + path in str(module)
    with operators("plain"):
        assert words + "plain" in str(module)
    with operators("fused"):
        assert words + "fused" in str(module)
        assert words + "no kernels" in str(module.bfloat16())


@pytest.mark.parametrize("own", [False, True])
def test_half_precision_takes_the_plain_path_or_is_refused(own: bool) -> None:
    x = torch.ones(1, 2, 3, 3)
    weights = torch.ones(1, 2, 1, 5, 5) if own else torch.ones(2, 1, 5, 5)
    for autocast in (False, True):
        maps = (x, weights) if autocast else (x.bfloat16(), weights.bfloat16())
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            with operators("auto"):
                found = depthwise_convolved(*maps)
            assert found.dtype is torch.bfloat16
            assert (found == 9).all()
            message = "is fused, and here are no kernels for bfloat16 on cpu"
            with operators("fused"), pytest.raises(InputError, match=message):
                depthwise_convolved(*maps)


def test_autocast_leaves_double_precision_alone() -> None:
    x, weights = maps_of((1, 2, 3, 3), 5, own=False, dtype=torch.float64)
    with operators("fused"), torch.autocast("cpu", torch.bfloat16):
        assert depthwise_convolved(x, weights).dtype is torch.float64


@pytest.mark.parametrize("own", [False, True])
def test_its_operations_are_counted(own: bool) -> None:
    """By PyTorch's counter, as those of its own convolution."""
    x, weights = (each.requires_grad_() for each in maps_of((2, 8, 6, 5), 7, own))
    counts = []
    for path in ("plain", "fused"):
        with operators(path), FlopCounterMode(display=False) as counter:  # type: ignore[arg-type]
            depthwise_convolved(x, weights).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 2 * x.numel() * 49


# --- what does not fit ------------------------------------------------------------------------


def test_kernels_of_another_shape_are_refused_before_anything_is_read() -> None:
    x = torch.ones(4, 2, 6, 5)
    with operators("fused"):
        for shape in ((2, 2, 1, 3, 3), (4, 3, 1, 3, 3), (4, 2, 1, 5, 3), (3, 1, 3, 3)):
            with pytest.raises(ValueError, match="do not fit a map"):
                depthwise_convolved(x, torch.ones(shape))
        with pytest.raises(ValueError, match="one shape; got"):
            fused.multiplied(x, torch.ones(4, 2, 6, 4), 3, False)


@pytest.mark.parametrize("shape", [(0, 2, 3, 3), (1, 2, 0, 4), (1, 2, 4, 0), (1, 0, 2, 2)])
@pytest.mark.parametrize("own", [False, True])
def test_maps_of_nothing_give_nothing(shape: tuple[int, ...], own: bool) -> None:
    x, weights = (each.requires_grad_() for each in maps_of(shape, 3, own))
    with operators("fused"):
        y = depthwise_convolved(x, weights)
        y.sum().backward()
    assert y.shape == x.shape
    assert weights.grad is not None
    assert not weights.grad.any()


def test_kernels_refuse_tensors_of_two_types() -> None:
    kernels, x = torch.ones(1, 2, 5, 5), torch.ones(1, 2, 4, 4, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"one type .* torch.float32 on cpu and torch.float64"):
        fused.summed(kernels, x, 5)
    with pytest.raises(ValueError, match="one type"):
        fused.multiplied(x, x.float(), 5, True)
