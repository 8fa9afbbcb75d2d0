"""Depth-wise convolution, with kernels that all images share or of each image's own.

y[b, c, p] = Σ_t k[b, c, t] · x[b, c, p + t], zeros outside the map. PyTorch's own convolution is
the plain path. `fused` computes the sum, its transpose and the gradient of the kernels, which are
each other's derivatives (`bilinear`): by a compiled function on CPUs (`native`), by Triton kernels
on GPUs (`triton_kernels`).
"""

import torch.nn.functional as F
from torch import Tensor

from space.operator_choice import PathName
from space.operators.bilinear import Path, weighted_sum
from space.operators.depthwise import fused
from space.operators.kernel_dispatch import in_autocast, only_own_operations
from space.operators.per_image import convolved_each

__all__ = ["depthwise_convolved", "path_name"]

FUSED = Path(
    *("fused", "depthwise, fused", 0, 1),
    *(fused.summed, fused.multiplied, fused.transposed),
)


def depthwise_convolved(x: Tensor, weights: Tensor) -> Tensor:
    """Every channel convolved with a kernel of its own, zeros outside the map.

    Args:
        x: (B, C, H, W).
        weights: (C, 1, k, k), or (B, C, 1, k, k) of each image's own; k odd.

    Returns:
        (B, C, H, W).
    """
    own, kernel_size = weights.dim() == 5, weights.shape[-1]
    maps = in_autocast(x), in_autocast(weights)
    if only_own_operations() or not fused.takes(*maps, kernel_size, own):
        return _by_convolution(x, weights)
    x, weights = maps
    kernels = weights.squeeze(2) if own else weights.transpose(0, 1)
    return weighted_sum(kernels, x, kernel_size, FUSED)


def _by_convolution(x: Tensor, weights: Tensor) -> Tensor:
    if weights.dim() == 5:
        return convolved_each(x, weights, weights.shape[1])
    return F.conv2d(x, weights, padding=weights.shape[-1] // 2, groups=weights.shape[0])


def path_name(x: Tensor, kernel_size: int, own: bool) -> PathName:
    """The path that such a map takes, as it is printed; `own`: with kernels of each image's own.

    Raises:
        InputError: where kernels shall be used, and there are none.
    """
    x = in_autocast(x)
    return "fused" if fused.takes(x, x, kernel_size, own) else "plain"
