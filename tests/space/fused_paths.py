"""Holding a fused path to the plain one: outputs, gradients, and gradients of gradients."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import grad

from space.operator_choice import operators

Order = Literal["channels first", "channels last", "a part of a larger map"]
orders: st.SearchStrategy[Order] = st.sampled_from(
    ["channels first", "channels last", "a part of a larger map"]
)


def laid(x: Tensor, order: Order) -> Tensor:
    """The same numbers in another order in memory; a leaf whose gradient is asked for.

    Args:
        x: (B, …, H, W).
        order: what lies together.
    """
    height, width = x.shape[-2:]
    if order == "channels last":
        lying = x.movedim((-2, -1), (1, 2)).contiguous().movedim((1, 2), (-2, -1))
    elif order == "a part of a larger map":
        lying = torch.full((*x.shape[:-2], height + 2, width + 3), torch.nan, dtype=x.dtype)
        lying = lying[..., 1:-1, 2:-1]
    else:
        lying = torch.empty_like(x, memory_format=torch.contiguous_format)
    return lying.detach().copy_(x).requires_grad_()


def results(function: Callable[..., Tensor], maps: Sequence[Tensor]) -> list[Tensor]:
    """The output, its gradients, and theirs."""
    y = function(*maps)
    weights = torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape)
    first = grad((y * weights).square().sum(), maps, create_graph=True)
    second = grad(sum(each.square().sum() for each in first), maps)
    return [y.detach(), *(each.detach() for each in first), *second]


def assert_same(function: Callable[..., Tensor], maps: Sequence[Tensor], allowed: float) -> None:
    """By both paths; where numbers are large, relative to the largest."""
    with operators("plain"):
        expected = results(function, maps)
    with operators("fused"):
        found = results(function, maps)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        scale = max(1.0, float(other.abs().max())) if other.numel() else 1.0
        torch.testing.assert_close(one / scale, other / scale, rtol=0, atol=allowed)
