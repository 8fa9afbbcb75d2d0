"""Sums and products over neighbourhoods in one pass: the fused path.

On CPUs by compiled functions (`native`), on GPUs by Triton kernels (`triton_kernels`). They are
operators of PyTorch, so that compiled graphs hold them whole. Maps are (B, heads, channels, H, W)
in whatever order they lie in memory, weights (B or 1, heads, k·k, H, W).
"""

import torch
from torch import Tensor

from space.operators.kernel_dispatch import kernels_serve
from space.operators.neighbourhood import native

_SOURCE = str(native.SOURCE)


def serves(*maps: Tensor) -> bool:
    """Whether there are kernels for such maps, and they shall be used.

    Raises:
        InputError: where they shall be used, and there are none.
    """
    return kernels_serve(_SOURCE, *maps)


def _refuse_others(weights: Tensor, x: Tensor, kernel_size: int) -> None:
    """The kernels read by the sizes of the map alone: of other weights, what is not theirs."""
    images, heads, _, height, width = x.shape
    rest = heads, kernel_size**2, height, width
    if tuple(weights.shape) not in ((images, *rest), (1, *rest)):
        raise ValueError(
            f"weights of {tuple(weights.shape)} do not fit a map of {tuple(x.shape)}: must be "
            f"{(images, *rest)}, or of 1 for all images"
        )


def _refuse_unequal(targets: Tensor, sources: Tensor) -> None:
    if targets.shape != sources.shape:
        shapes = tuple(targets.shape), tuple(sources.shape)
        raise ValueError(f"targets and sources must have one shape; got {shapes[0]}, {shapes[1]}")


@torch.library.custom_op("mixspace::neighbourhood_sum", mutates_args=(), device_types="cpu")
def summed(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, p] · x[p + t]: (B, heads, channels, H, W)."""
    _refuse_others(weights, x, kernel_size)
    return native.summed(weights, x, kernel_size)


@torch.library.custom_op("mixspace::neighbourhood_scatter", mutates_args=(), device_types="cpu")
def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `summed` in x: Σ_t weights[t, q − t] · y[q − t]."""
    _refuse_others(weights, y, kernel_size)
    return native.scattered(weights, y, kernel_size)


@torch.library.custom_op("mixspace::neighbourhood_dot", mutates_args=(), device_types="cpu")
def dotted(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    """Σ_c targets[c, p] · sources[c, p + t], shared: over images: (B or 1, heads, k·k, H, W)."""
    _refuse_unequal(targets, sources)
    return native.dotted(targets, sources, kernel_size, shared)


@summed.register_kernel("cuda")
def _(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    _refuse_others(weights, x, kernel_size)
    return triton_kernels.summed(weights, x, kernel_size)


@scattered.register_kernel("cuda")
def _(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    _refuse_others(weights, y, kernel_size)
    return triton_kernels.scattered(weights, y, kernel_size)


@dotted.register_kernel("cuda")
def _(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    _refuse_unequal(targets, sources)
    return triton_kernels.dotted(targets, sources, kernel_size, shared)


@summed.register_fake
@scattered.register_fake
def _(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    return torch.empty_like(x)


@dotted.register_fake
def _(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    return native.empty_products(targets, kernel_size, shared)
