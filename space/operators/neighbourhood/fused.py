"""Sums and products over neighbourhoods in one pass: the fused path.

On CPUs by compiled functions (`native`), on GPUs by Triton kernels (`triton_kernels`). They are
operators of PyTorch, so that compiled graphs hold them whole. Maps are (B, heads, channels, H, W)
in whatever order they lie in memory, weights (B or 1, heads, k·k, H, W).
"""

import torch
from torch import Tensor

from space.operators.kernel_dispatch import kernels_serve
from space.operators.kernel_operators import kernel_operator, refuse_unequal
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


def _like_map(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    return torch.empty_like(x)


def _like_weights(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    return native.empty_products(targets, kernel_size, shared)


summed = kernel_operator(
    "neighbourhood_sum(Tensor weights, Tensor x, int kernel_size) -> Tensor",
    *(native, "summed", _refuse_others, _like_map),
)
"""Σ_t weights[t, p] · x[p + t]: (B, heads, channels, H, W)."""

scattered = kernel_operator(
    "neighbourhood_scatter(Tensor weights, Tensor y, int kernel_size) -> Tensor",
    *(native, "scattered", _refuse_others, _like_map),
)
"""The transpose of `summed` in x: Σ_t weights[t, q − t] · y[q − t]."""

dotted = kernel_operator(
    "neighbourhood_dot(Tensor targets, Tensor sources, int kernel_size, bool shared) -> Tensor",
    *(native, "dotted", refuse_unequal, _like_weights),
)
"""Σ_c targets[c, p] · sources[c, p + t], shared: over images: (B or 1, heads, k·k, H, W)."""
