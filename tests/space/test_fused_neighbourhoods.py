"""Fused sums and products over neighbourhoods: the same as one shifted map at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradgradcheck

from space import Mixer
from space import operator_choice as choice
from space.errors import InputError
from space.geometry import MapSize
from space.native_library import compiler
from space.operator_choice import choice_of, operators
from space.operators import TokenMixer
from space.operators.neighbourhood import fused, neighbourhood_dot, neighbourhood_sum
from tests.space.fused_paths import Order, assert_same, laid, orders

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler here")

sizes = st.integers(1, 11)
shapes = st.tuples(st.integers(0, 3), st.integers(1, 3), st.integers(1, 9), sizes, sizes)


def sum_over(kernel_size: int) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda weights, x: neighbourhood_sum(weights, x, kernel_size)


def product_over(kernel_size: int) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda targets, sources: neighbourhood_dot(targets, sources, kernel_size)


@settings(max_examples=60, deadline=None)
@given(shapes, st.sampled_from([1, 3, 5, 7, 9]), orders, orders, st.booleans(), st.booleans())
def test_sums_are_those_of_shifts(
    shape: tuple[int, ...], kernel_size: int, one: Order, other: Order, shared: bool, double: bool
) -> None:
    torch.manual_seed(0)
    dtype = torch.float64 if double else torch.float32
    images, heads, _, height, width = shape
    weights = torch.randn(1 if shared else images, heads, kernel_size**2, height, width)
    maps = [laid(weights.to(dtype), one), laid(torch.randn(shape).to(dtype), other)]
    assert_same(sum_over(kernel_size), maps, 1e-12 if double else 1e-5)


@settings(max_examples=60, deadline=None)
@given(shapes, st.sampled_from([1, 3, 5, 7, 9]), orders, orders, st.booleans())
def test_products_are_those_of_shifts(
    shape: tuple[int, ...], kernel_size: int, one: Order, other: Order, double: bool
) -> None:
    torch.manual_seed(0)
    dtype = torch.float64 if double else torch.float32
    maps = [laid(torch.randn(shape).to(dtype), order) for order in (one, other)]
    assert_same(product_over(kernel_size), maps, 1e-12 if double else 1e-5)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("shared", [False, True])
def test_any_number_of_threads_computes_the_same(threads: int, shared: bool) -> None:
    """More than there are heads, so that the rows of a map are shared out."""
    before = torch.get_num_threads()
    torch.manual_seed(1)
    weights, x = torch.randn(1 if shared else 2, 1, 49, 21, 19), torch.randn(2, 1, 16, 21, 19)
    maps = [weights.requires_grad_(), x.requires_grad_()]
    try:
        torch.set_num_threads(threads)
        assert_same(sum_over(7), maps, 1e-5)
    finally:
        torch.set_num_threads(before)


def test_what_is_not_a_number_stays_where_it_is_read() -> None:
    """The weights of a position outside the map, and those that lie behind a row, are not read."""
    torch.manual_seed(2)
    weights = torch.randn(1, 1, 9, 5, 5)
    weights[0, 0, 0, 0] = weights[0, 0, :, :, 0][::3] = torch.nan
    for x in (torch.randn(1, 1, 2, 5, 5), torch.randn(1, 1, 4, 5, 5)):
        with operators("plain"):
            expected = neighbourhood_sum(weights, x, 3)
        with operators("fused"):
            found = neighbourhood_sum(weights, x, 3)
        # Shifts multiply the zeros around a map by the weights of the border; both spoil it alone.
        assert not found[expected.isfinite()].isnan().any()


def test_derivatives_of_derivatives_are_right() -> None:
    torch.manual_seed(0)
    weights = torch.randn(2, 1, 9, 2, 2, dtype=torch.float64, requires_grad=True)
    x, y = torch.randn(2, 2, 1, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    with operators("fused"):
        assert gradgradcheck(lambda w, x: neighbourhood_sum(w, x, 3), (weights, x))
        assert gradgradcheck(lambda x, y: neighbourhood_dot(x, y, 3), (x, y))


OPERATORS = [fused.summed, fused.scattered, fused.dotted]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each._opname)
@pytest.mark.parametrize("order", ["channels first", "channels last"])
def test_compiled_graphs_may_hold_them(operator: Callable[..., Tensor], order: Order) -> None:
    channels = 3 if operator is fused.dotted else 9
    first = torch.randn(2, 2, channels, 4, 5)
    maps = laid(first, order).detach(), laid(torch.randn(2, 2, 3, 4, 5), order).detach()
    for rest in ((False,), (True,)) if operator is fused.dotted else ((),):
        arguments = (*maps, 3, *rest)
        torch.library.opcheck(operator, arguments, test_utils=("test_schema", "test_faketensor"))


# --- the choice -------------------------------------------------------------------------------


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As when a process begins."""
    monkeypatch.setattr(choice, "_chosen", None)
    return monkeypatch


@pytest.mark.parametrize(
    ("text", "path"), [(None, True), ("", True), ("plain", False), (" Fused ", True)]
)
def test_the_environment_chooses(unread: pytest.MonkeyPatch, text: str | None, path: bool) -> None:
    unread.delenv("MIXSPACE_OPERATORS", raising=False)
    if text is not None:
        unread.setenv("MIXSPACE_OPERATORS", text)
    assert fused.serves(torch.zeros(1, 1, 1, 1, 1)) is path


def test_another_word_is_refused_with_those_that_are_allowed(unread: pytest.MonkeyPatch) -> None:
    unread.setenv("MIXSPACE_OPERATORS", "fast")
    message = "MIXSPACE_OPERATORS: 'fast' is not allowed; must be one of auto, plain, fused"
    with pytest.raises(InputError, match=message):
        fused.serves(torch.zeros(1))
    assert choice_of("AUTO") == "auto"


def test_a_printed_network_says_which_path_it_takes() -> None:
    mixer = TokenMixer(Mixer.named("Neighbourhood attention", kernel_size=3), 32, MapSize(5, 5))
    with operators("auto"):
        assert "Neighbourhood attention k3 h1, 32 channels, 5×5, fused" in str(mixer)
    with operators("plain"):
        assert "5×5, plain" in str(mixer)
    other = TokenMixer(Mixer.named("Conv.", kernel_size=3), 32, MapSize(5, 5))
    assert "Conv. k3, 32 channels, 5×5\n" in str(other)


def test_half_precision_takes_the_plain_path_or_is_refused() -> None:
    x = torch.ones(1, 1, 2, 3, 3, dtype=torch.bfloat16)
    weights = torch.ones(1, 1, 9, 3, 3, dtype=torch.bfloat16)
    with operators("auto"):
        found = neighbourhood_sum(weights, x, 3)[0, 0, 0].tolist()
    assert found == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
    message = "is fused, and here are no kernels for bfloat16 on cpu; auto takes the plain path"
    with operators("fused"), pytest.raises(InputError, match=message):
        neighbourhood_sum(weights, x, 3)


# --- what does not fit ------------------------------------------------------------------------


def test_weights_of_another_shape_are_refused_before_anything_is_read() -> None:
    x = torch.ones(8, 1, 2, 6, 5)
    with operators("fused"):
        for shape in ((2, 1, 9, 6, 5), (8, 2, 9, 6, 5), (8, 1, 25, 6, 5), (8, 1, 9, 4, 5)):
            with pytest.raises((ValueError, RuntimeError), match=r"fit a map|must match"):
                neighbourhood_sum(torch.ones(shape), x, 3)
        with pytest.raises(ValueError, match="one shape; got"):
            neighbourhood_dot(x, torch.ones(8, 1, 2, 6, 4), 3)
        mixer = Mixer.named("Dynamic Local-S MLP", kernel_size=3, heads=2)
        module = TokenMixer(mixer, 8, MapSize(4, 4))
        with pytest.raises(ValueError, match=r"weights of \(2, 2, 9, 4, 4\) do not fit a map"):
            module(torch.ones(4, 8, 4, 4), torch.ones(2, 8, 4, 4))


@pytest.mark.parametrize("shape", [(1, 1, 2, 0, 4), (1, 1, 2, 4, 0), (1, 1, 0, 2, 2)])
def test_maps_of_nothing_give_nothing(shape: tuple[int, ...]) -> None:
    with operators("fused"):
        weights = torch.ones(1, 1, 9, *shape[3:])
        assert neighbourhood_sum(weights, torch.ones(shape), 3).shape == shape
        assert not neighbourhood_dot(torch.ones(shape), torch.ones(shape), 3).any()


def test_weights_of_one_position_serve_all() -> None:
    torch.manual_seed(0)
    maps = [
        torch.randn(2, 1, 9, 1, 1).requires_grad_(),
        torch.randn(2, 1, 3, 4, 5).requires_grad_(),
    ]
    assert_same(sum_over(3), maps, 1e-5)


def test_a_network_that_has_no_kernels_is_printed_all_the_same() -> None:
    mixer = TokenMixer(Mixer.named("Neighbourhood attention", kernel_size=3), 32, MapSize(5, 5))
    with operators("fused"):
        assert "5×5, no kernels" in str(mixer.bfloat16())
        assert "5×5, plain" in str(mixer.to("meta"))
