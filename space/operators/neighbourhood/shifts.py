"""Sums and products over k×k neighbourhoods, one shifted map at a time: the plain path.

Shifting and accumulating needs no memory for the k·k copies of the map that unfolding makes. The
batch is the innermost axis here, (heads, channels, H, W, B): rows of a small map are short, and a
batch is long. Where a network is recorded for use elsewhere, it is made of PyTorch's own operations
on maps as they are.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from space.operators.kernel_dispatch import only_own_operations

BATCH_LAST, BATCH_FIRST = 2, 3
"""The axis of the rows, in (heads, channels, H, W, B) and in (B, heads, channels, H, W)."""


def _windows(padded: Tensor, kernel_size: int, rows: int = BATCH_LAST) -> Iterator[Tensor]:
    """Views of a padded map, a tap at a time."""
    height, width = (padded.shape[axis] - kernel_size + 1 for axis in (rows, rows + 1))
    for row in range(kernel_size):
        band = padded.narrow(rows, row, height)
        for column in range(kernel_size):
            yield band.narrow(rows + 1, column, width)


def _padded(x: Tensor, kernel_size: int, rows: int = BATCH_LAST) -> Tensor:
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


def summed(weights: Tensor, x: Tensor, kernel_size: int, rows: int = BATCH_LAST) -> Tensor:
    """Σ over taps of weights, which have taps instead of channels, · x; both may be broadcast."""
    total = torch.zeros_like(x)
    windows = at_taps(x, kernel_size, rows)
    for weight, window in zip(weights.unbind(rows - 1), windows, strict=True):
        total.addcmul_(weight.unsqueeze(rows - 1), window)
    return total


def dotted(
    targets: Tensor,
    sources: Tensor,
    kernel_size: int,
    shared: bool = False,
    rows: int = BATCH_LAST,
) -> Tensor:
    """Σ over channels of targets · sources: taps instead of the channels; shared, over images."""
    channels, batch = rows - 1, -1 if rows == BATCH_LAST else 0
    windows = at_taps(sources, kernel_size, rows)
    if only_own_operations() or torch.compiler.is_compiling():
        taps = torch.stack([(targets * window).sum(channels) for window in windows], channels)
        return taps.sum(batch, keepdim=True) if shared else taps
    shape = list(targets.shape)
    shape[channels] = kernel_size**2
    over = [channels, batch] if shared else [channels]
    shape[batch] = 1 if shared else shape[batch]
    logits, product = targets.new_empty(shape), torch.empty_like(targets)
    for at_tap, window in zip(logits.split(1, channels), windows, strict=True):
        torch.mul(targets, window, out=product)
        torch.sum(product, over, keepdim=True, out=at_tap)
    return logits


def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `summed` in x: every p gives weights[p, q] · y[p] to its sources q."""
    half = kernel_size // 2
    height, width = y.shape[2:4]
    padded = torch.zeros_like(_padded(y, kernel_size))
    for tap, window in enumerate(_windows(padded, kernel_size)):
        window.addcmul_(weights[:, tap, None], y)
    return padded[:, :, half : half + height, half : half + width]


def batch_last(x: Tensor) -> Tensor:
    """(B, heads, channels, H, W) to (heads, channels, H, W, B), contiguous."""
    return x.permute(1, 2, 3, 4, 0).contiguous()


def batch_first(x: Tensor) -> Tensor:
    """The way back, a view."""
    return x.permute(4, 0, 1, 2, 3)


def summed_by_taps(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t] · x[p + t] of PyTorch's own operations.

    Args:
        weights: (B or 1, heads, k·k, H or 1, W or 1).
        x: (B, heads, channels of a head, H, W).
        kernel_size: k, odd.
    """
    return summed(weights, x, kernel_size, BATCH_FIRST)


def outside_map(kernel_size: int, height: int, width: int) -> Tensor:
    """(k·k, H, W) booleans, true where p + t lies outside the map."""
    inside = _padded(torch.ones(1, 1, height, width, 1), kernel_size)
    return torch.stack([window[0, 0, :, :, 0] == 0 for window in _windows(inside, kernel_size)])
