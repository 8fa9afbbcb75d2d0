"""Sums and products over neighbourhoods by compiled functions (`native.cpp`), on CPUs."""

from pathlib import Path

import torch
from torch import Tensor

from space.operators.kernel_calls import call_native

SOURCE = Path(__file__).with_name("native.cpp")


def summed(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, p] · x[p + t], zeros outside the map, see `fused`."""
    return _mixed("sum", weights, x, kernel_size)


def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, q − t] · y[q − t], see `fused`."""
    return _mixed("scatter", weights, y, kernel_size)


def dotted(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Σ_c targets[c, p] · sources[c, p + t], see `fused`."""
    products = empty_products(targets, kernel_size, shared)
    _call("dot", (targets, sources, products), targets, kernel_size, shared)
    return products


def empty_products(targets: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Where products at each tap go, (B or 1, heads, k·k, H, W): in memory as the targets lie.

    Taps of a position lie together where its channels do.
    """
    images, heads, _, height, width = targets.shape
    images = 1 if shared else images
    if targets.stride(4) == 1 or targets.stride(2) != 1:
        return targets.new_empty(images, heads, kernel_size**2, height, width)
    last = targets.new_empty(images, height, width, heads, kernel_size**2)
    return last.permute(0, 3, 4, 1, 2)


def _mixed(name: str, weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    y = torch.empty_like(x)
    _call(name, (weights, x, y), x, kernel_size)
    return y


def _call(
    name: str, tensors: tuple[Tensor, ...], x: Tensor, kernel_size: int, flag: bool | None = None
) -> None:
    sizes = *x.shape, kernel_size
    call_native(SOURCE, name, tensors, sizes, flag, x.numel() * kernel_size**2)
