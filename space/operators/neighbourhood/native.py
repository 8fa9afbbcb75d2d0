"""Sums and products over neighbourhoods by compiled functions (`native.cpp`), on CPUs."""

import ctypes
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from space.native_library import native_library

SOURCE = Path(__file__).with_name("native.cpp")

_Strides, _Map = ctypes.c_int64 * 5, ctypes.c_int64 * 6
_SUFFIXES = {torch.float32: "float32", torch.float64: "float64"}
_ALONE = 1 << 18
"""Multiplications that one thread is done with before others have begun."""


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; None where there is no compiler."""
    return native_library(SOURCE)


def summed(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, p] · x[p + t], zeros outside the map, see `fused`."""
    return _mixed("sum", weights, x, kernel_size)


def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, q − t] · y[q − t], see `fused`."""
    return _mixed("scatter", weights, y, kernel_size)


def dotted(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Σ_c targets[c, p] · sources[c, p + t], see `fused`."""
    products = empty_products(targets, kernel_size, shared)
    _call("dot", (targets, sources, products), targets, kernel_size, int(shared))
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


def _call(name: str, tensors: tuple[Tensor, ...], x: Tensor, kernel_size: int, *rest: int) -> None:
    images, heads, channels, height, width = x.shape
    function = getattr(library(), f"{name}_{_SUFFIXES[x.dtype]}")
    arguments: list[object] = []
    for each in tensors:
        arguments += [ctypes.c_void_p(each.data_ptr()), _Strides(*strides(each, images))]
    sizes = _Map(images, heads, channels, height, width, kernel_size)
    threads = 1 if x.numel() * kernel_size**2 < _ALONE else torch.get_num_threads()
    function(*arguments, sizes, *rest, threads)


def strides(x: Tensor, images: int) -> tuple[int, ...]:
    """In elements; the one image of weights that all share is each image's."""
    found = x.stride()
    return (0, *found[1:]) if x.shape[0] == 1 and images != 1 else found
