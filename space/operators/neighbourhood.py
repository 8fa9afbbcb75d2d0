"""Sums and products over k×k neighbourhoods, one shifted map at a time.

Shifting and accumulating needs no memory for the k·k copies of the map that unfolding makes. The
three functions are each other's derivatives, so that training needs none either, and so do
derivatives of derivatives. Inside, the batch is the innermost axis: rows of a small map are short,
and a batch is long. Where a network is recorded for use elsewhere, it is made of PyTorch's own
operations on maps as they are.
"""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from space.operators.recording import recorded_for_any_batch

_BATCH_LAST, _BATCH_FIRST = 2, 3
"""The axis of the rows, in (heads, channels, H, W, B) and in (B, heads, channels, H, W)."""


def _windows(padded: Tensor, kernel_size: int, rows: int = _BATCH_LAST) -> Iterator[Tensor]:
    """Views of a padded map, a tap at a time."""
    height, width = (padded.shape[axis] - kernel_size + 1 for axis in (rows, rows + 1))
    for row in range(kernel_size):
        band = padded.narrow(rows, row, height)
        for column in range(kernel_size):
            yield band.narrow(rows + 1, column, width)


def _padded(x: Tensor, kernel_size: int, rows: int = _BATCH_LAST) -> Tensor:
    half = kernel_size // 2
    behind = (0, 0) * (x.dim() - rows - 2)
    return F.pad(x, (*behind, half, half, half, half))


def at_taps(x: Tensor, kernel_size: int, rows: int) -> Iterator[Tensor]:
    """x[p + t] for each tap t in row-major order, zeros outside the map.

    Args:
        x: a map.
        kernel_size: k, odd.
        rows: the axis of its rows; that of the columns is the next.
    """
    return _windows(_padded(x, kernel_size, rows), kernel_size, rows)


def _weighted(weights: Tensor, x: Tensor, kernel_size: int, rows: int = _BATCH_LAST) -> Tensor:
    """Σ over taps of weights, which have taps instead of channels, · x; both may be broadcast."""
    total = torch.zeros_like(x)
    windows = at_taps(x, kernel_size, rows)
    for weight, window in zip(weights.unbind(rows - 1), windows, strict=True):
        total.addcmul_(weight.unsqueeze(rows - 1), window)
    return total


def _correlated(
    targets: Tensor, sources: Tensor, kernel_size: int, rows: int = _BATCH_LAST
) -> Tensor:
    """Σ over channels of targets · sources: taps instead of the channels."""
    channels = rows - 1
    windows = at_taps(sources, kernel_size, rows)
    if recorded_for_any_batch() or torch.compiler.is_compiling():
        return torch.stack([(targets * window).sum(channels) for window in windows], channels)
    shape = list(targets.shape)
    shape[channels] = kernel_size**2
    logits, product = targets.new_empty(shape), torch.empty_like(targets)
    for at_tap, window in zip(logits.unbind(channels), windows, strict=True):
        torch.mul(targets, window, out=product)
        torch.sum(product, channels, out=at_tap)
    return logits


def _scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `_weighted` in x: every p gives weights[p, q] · y[p] to its sources q."""
    half = kernel_size // 2
    height, width = y.shape[2:4]
    padded = torch.zeros_like(_padded(y, kernel_size))
    for tap, window in enumerate(_windows(padded, kernel_size)):
        window.addcmul_(weights[:, tap, None], y)
    return padded[:, :, half : half + height, half : half + width]


class _Bilinear(torch.autograd.Function):
    """A function of two maps with the batch last, linear in each, and of the kernel size."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        first, second, ctx.kernel_size = inputs
        ctx.save_for_backward(first, second)


class _NeighbourhoodSum(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
        return _weighted(weights, x, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, x = ctx.saved_tensors
        to_weights = to_x = None
        if ctx.needs_input_grad[0]:
            to_weights = _like(weights, _applied(_NeighbourhoodDot, gradient, x, ctx.kernel_size))
        if ctx.needs_input_grad[1]:
            to_x = _applied(_NeighbourhoodScatter, weights, gradient, ctx.kernel_size)
        return to_weights, to_x, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodSum, info.batch_size, in_dims, inputs)


class _NeighbourhoodDot(_Bilinear):
    @staticmethod
    def forward(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
        return _correlated(targets, sources, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        targets, sources = ctx.saved_tensors
        to_targets = to_sources = None
        if ctx.needs_input_grad[0]:
            to_targets = _applied(_NeighbourhoodSum, gradient, sources, ctx.kernel_size)
        if ctx.needs_input_grad[1]:
            to_sources = _applied(_NeighbourhoodScatter, gradient, targets, ctx.kernel_size)
        return to_targets, to_sources, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodDot, info.batch_size, in_dims, inputs)


class _NeighbourhoodScatter(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
        return _scattered(weights, y, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, y = ctx.saved_tensors
        to_weights = to_y = None
        if ctx.needs_input_grad[0]:
            to_weights = _like(weights, _applied(_NeighbourhoodDot, y, gradient, ctx.kernel_size))
        if ctx.needs_input_grad[1]:
            to_y = _applied(_NeighbourhoodSum, weights, gradient, ctx.kernel_size)
        return to_weights, to_y, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodScatter, info.batch_size, in_dims, inputs)


def _applied(
    function: type[torch.autograd.Function], first: Tensor, second: Tensor, kernel_size: int
) -> Tensor:
    result: Tensor = function.apply(first, second, kernel_size)
    return result


def _like(weights: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of weights that all images share is the sum of theirs."""
    return gradient.sum(-1, keepdim=True) if weights.shape[-1] == 1 else gradient


def _with_more_heads(
    function: type[torch.autograd.Function],
    count: int,
    in_dims: tuple[Any, ...],
    inputs: tuple[Any, ...],
) -> tuple[Tensor, int]:
    """Under `vmap`: heads do not see each other, so that what is mapped over are heads more."""
    *maps, kernel_size = inputs
    folded = [
        (x.expand(count, *x.shape) if axis is None else x.movedim(axis, 0)).flatten(0, 1)
        for x, axis in zip(maps, in_dims, strict=False)
    ]
    result = _applied(function, folded[0], folded[1], kernel_size)
    return result.unflatten(0, (count, -1)), 0


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
    weights = weights.to(x.dtype)
    if recorded_for_any_batch():
        return summed_by_taps(weights, x, kernel_size)
    y = _applied(_NeighbourhoodSum, _batch_last(weights), _batch_last(x), kernel_size)
    return _batch_first(y)


def summed_by_taps(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """The same of PyTorch's own operations; the weights may be (B or 1, heads, k·k, 1, 1)."""
    return _weighted(weights, x, kernel_size, _BATCH_FIRST)


def neighbourhood_dot(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """logits[b, h, t, p] = Σ_c targets[b, h, c, p] · sources[b, h, c, p + t].

    Args:
        targets: (B, heads, channels of a head, H, W).
        sources: the same shape; zeros outside the map.
        kernel_size: k, odd.

    Returns:
        (B, heads, k·k, H, W), taps t in row-major order.
    """
    sources = sources.to(targets.dtype)
    if recorded_for_any_batch():
        return _correlated(targets, sources, kernel_size, _BATCH_FIRST)
    logits = _applied(_NeighbourhoodDot, _batch_last(targets), _batch_last(sources), kernel_size)
    return _batch_first(logits)


def outside_map(kernel_size: int, height: int, width: int) -> Tensor:
    """(k·k, H, W) booleans, true where p + t lies outside the map."""
    inside = _padded(torch.ones(1, 1, height, width, 1), kernel_size)
    return torch.stack([window[0, 0, :, :, 0] == 0 for window in _windows(inside, kernel_size)])
