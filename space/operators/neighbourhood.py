"""Sums and products over k×k neighbourhoods, one shifted map at a time.

Shifting and accumulating needs no memory for the k·k copies of the map that unfolding makes. The
two functions are each other's derivatives, so that training needs none either. Inside, the batch
is the innermost axis: rows of a small map are short, and a batch is long.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def _shifts(kernel_size: int) -> list[tuple[int, int]]:
    return [(row, column) for row in range(kernel_size) for column in range(kernel_size)]


def _windows(padded: Tensor, kernel_size: int) -> list[Tensor]:
    """The map at each tap: views of (heads, channels, H, W, B) in a padded map."""
    height, width = (extent - kernel_size + 1 for extent in padded.shape[2:4])
    return [
        padded[:, :, row : row + height, column : column + width]
        for row, column in _shifts(kernel_size)
    ]


def _padded(x: Tensor, kernel_size: int) -> Tensor:
    half = kernel_size // 2
    return F.pad(x, (0, 0, half, half, half, half))


def _weighted(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ over taps of weights (heads, taps, H, W, B or 1) · x (heads, channels, H, W, B)."""
    total = torch.zeros_like(x)
    for tap, window in enumerate(_windows(_padded(x, kernel_size), kernel_size)):
        total.addcmul_(weights[:, tap, None], window)
    return total


def _correlated(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """Σ over channels of targets · sources at each tap: (heads, taps, H, W, B)."""
    heads, _, height, width, batch = targets.shape
    logits = targets.new_empty(heads, kernel_size**2, height, width, batch)
    product = torch.empty_like(targets)
    for tap, window in enumerate(_windows(_padded(sources, kernel_size), kernel_size)):
        torch.mul(targets, window, out=product)
        torch.sum(product, 1, out=logits[:, tap])
    return logits


def _scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `_weighted` in x: every p gives weights[p, q] · y[p] to its sources q."""
    half = kernel_size // 2
    height, width = y.shape[2:4]
    padded = torch.zeros_like(_padded(y, kernel_size))
    for tap, window in enumerate(_windows(padded, kernel_size)):
        window.addcmul_(weights[:, tap, None], y)
    return padded[:, :, half : half + height, half : half + width]


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
            if weights.shape[-1] == 1:
                to_weights = to_weights.sum(-1, keepdim=True)
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


def _batch_last(x: Tensor) -> Tensor:
    return x.permute(1, 2, 3, 4, 0).contiguous()


def _batch_first(x: Tensor) -> Tensor:
    return x.permute(4, 0, 1, 2, 3)


def neighbourhood_sum(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """y[b, h, c, p] = Σ_t weights[b, h, t, p] · x[b, h, c, p + t], zeros outside the map.

    Args:
        weights: (B or 1, heads, k·k, H, W), taps t in row-major order.
        x: (B, heads, channels of a head, H, W).
        kernel_size: k, odd.

    Returns:
        (B, heads, channels of a head, H, W).
    """
    weights = _batch_last(weights.to(x.dtype))
    y: Tensor = _NeighbourhoodSum.apply(weights, _batch_last(x), kernel_size)  # type: ignore[no-untyped-call]
    return _batch_first(y)


def neighbourhood_dot(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """logits[b, h, t, p] = Σ_c targets[b, h, c, p] · sources[b, h, c, p + t].

    Args:
        targets: (B, heads, channels of a head, H, W).
        sources: the same shape; zeros outside the map.
        kernel_size: k, odd.

    Returns:
        (B, heads, k·k, H, W), taps t in row-major order.
    """
    sources = _batch_last(sources.to(targets.dtype))
    logits: Tensor = _NeighbourhoodDot.apply(_batch_last(targets), sources, kernel_size)  # type: ignore[no-untyped-call]
    return _batch_first(logits)


def outside_map(kernel_size: int, height: int, width: int) -> Tensor:
    """(k·k, H, W) booleans, true where p + t lies outside the map."""
    inside = _padded(torch.ones(1, 1, height, width, 1), kernel_size)
    return torch.stack([window[0, 0, :, :, 0] == 0 for window in _windows(inside, kernel_size)])
