"""Depth-wise convolution by compiled functions (`native.cpp`), on CPUs."""

from pathlib import Path

import torch
from torch import Tensor

from space.operators.kernel_calls import call_native

SOURCE = Path(__file__).with_name("native.cpp")


def summed(kernels: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t kernels[t] · x[p + t], zeros outside the map, see `fused`."""
    y = torch.empty_like(x)
    _call("sum", (kernels, x, y), x, kernel_size, False)
    return y


def transposed(kernels: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """Σ_t kernels[t] · y[q − t], see `fused`: the same sum with the kernels mirrored."""
    x = torch.empty_like(y)
    _call("sum", (kernels, y, x), y, kernel_size, True)
    return x


def multiplied(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Σ_p targets[p] · sources[p + t], see `fused`."""
    # Taps that lie outside the map from every position are left as they are.
    products = empty_kernels(targets, kernel_size, shared).zero_()
    _call("multiply", (targets, sources, products), targets, kernel_size, shared)
    return products


def empty_kernels(targets: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Where the gradient of kernels goes, (B or 1, C, k, k)."""
    images, channels = targets.shape[:2]
    return targets.new_empty(1 if shared else images, channels, kernel_size, kernel_size)


def _call(name: str, tensors: tuple[Tensor, ...], x: Tensor, kernel_size: int, flag: bool) -> None:
    sizes = *x.shape, kernel_size
    call_native(SOURCE, name, tensors, sizes, flag, x.numel() * kernel_size**2)
