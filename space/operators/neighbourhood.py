"""Sums and products over k×k neighbourhoods, one shifted map at a time.

Shifting and accumulating needs no memory for the k·k copies of the map that unfolding makes. The
two functions are each other's derivatives, so that training needs none either.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def _shifts(kernel_size: int) -> list[tuple[int, int]]:
    return [(row, column) for row in range(kernel_size) for column in range(kernel_size)]


def _padded(x: Tensor, kernel_size: int) -> Tensor:
    return F.pad(x, (kernel_size // 2,) * 4)


def _weighted(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    height, width = x.shape[-2:]
    padded = _padded(x, kernel_size)
    total = torch.zeros(
        torch.broadcast_shapes(weights[:, :, :1].shape, x.shape),
        dtype=x.dtype,
        device=x.device,
    )
    for tap, (row, column) in enumerate(_shifts(kernel_size)):
        total.addcmul_(
            weights[:, :, tap : tap + 1], padded[..., row : row + height, column : column + width]
        )
    return total


def _correlated(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    height, width = targets.shape[-2:]
    padded = _padded(sources, kernel_size)
    return torch.stack(
        [
            (targets * padded[..., row : row + height, column : column + width]).sum(2)
            for row, column in _shifts(kernel_size)
        ],
        dim=2,
    )


def _scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `_weighted` in x: every p gives weights[p, q] · y[p] to its sources q."""
    height, width = y.shape[-2:]
    half = kernel_size // 2
    total = torch.zeros(
        *torch.broadcast_shapes(weights[:, :, :1].shape, y.shape)[:-2],
        height + 2 * half,
        width + 2 * half,
        dtype=y.dtype,
        device=y.device,
    )
    for tap, (row, column) in enumerate(_shifts(kernel_size)):
        total[..., row : row + height, column : column + width].addcmul_(
            weights[:, :, tap : tap + 1], y
        )
    return total[..., half : half + height, half : half + width]


class _NeighbourhoodSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
        ctx.save_for_backward(weights, x)
        ctx.kernel_size = kernel_size
        return _weighted(weights, x, kernel_size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, x = ctx.saved_tensors
        to_weights = to_x = None
        if ctx.needs_input_grad[0]:
            to_weights = _correlated(gradient, x, ctx.kernel_size)
            if weights.shape[0] == 1 and to_weights.shape[0] > 1:
                to_weights = to_weights.sum(0, keepdim=True)
        if ctx.needs_input_grad[1]:
            to_x = _scattered(weights, gradient, ctx.kernel_size)
        return to_weights, to_x, None


class _NeighbourhoodDot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
        ctx.save_for_backward(targets, sources)
        ctx.kernel_size = kernel_size
        return _correlated(targets, sources, kernel_size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        targets, sources = ctx.saved_tensors
        to_targets = to_sources = None
        if ctx.needs_input_grad[0]:
            to_targets = _weighted(gradient, sources, ctx.kernel_size)
        if ctx.needs_input_grad[1]:
            to_sources = _scattered(gradient, targets, ctx.kernel_size)
        return to_targets, to_sources, None


def neighbourhood_sum(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """y[b, h, c, p] = Σ_t weights[b, h, t, p] · x[b, h, c, p + t], zeros outside the map.

    Args:
        weights: (B or 1, heads, k·k, H, W), taps t in row-major order.
        x: (B, heads, channels of a head, H, W).
        kernel_size: k, odd.

    Returns:
        (B, heads, channels of a head, H, W).
    """
    y: Tensor = _NeighbourhoodSum.apply(weights.to(x.dtype), x, kernel_size)  # type: ignore[no-untyped-call]
    return y


def neighbourhood_dot(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """logits[b, h, t, p] = Σ_c targets[b, h, c, p] · sources[b, h, c, p + t].

    Args:
        targets: (B, heads, channels of a head, H, W).
        sources: the same shape; zeros outside the map.
        kernel_size: k, odd.

    Returns:
        (B, heads, k·k, H, W), taps t in row-major order.
    """
    logits: Tensor = _NeighbourhoodDot.apply(targets, sources.to(targets.dtype), kernel_size)  # type: ignore[no-untyped-call]
    return logits


def outside_map(kernel_size: int, height: int, width: int) -> Tensor:
    """(k·k, H, W) booleans, true where p + t lies outside the map."""
    inside = _padded(torch.ones(1, 1, height, width), kernel_size)
    return torch.stack(
        [
            inside[0, 0, row : row + height, column : column + width] == 0
            for row, column in _shifts(kernel_size)
        ]
    )
