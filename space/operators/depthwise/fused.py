"""Depth-wise convolution by kernels of our own: the fused path, and where it is quicker.

On CPUs by compiled functions (`native`), on GPUs by Triton kernels (`triton_kernels`). They are
operators of PyTorch, so that compiled graphs hold them whole. Maps are (B, C, H, W) in whatever
order they lie in memory, kernels (B or 1, C, k, k).
"""

import torch
from torch import Tensor

from space.operator_choice import chosen
from space.operators.depthwise import native
from space.operators.kernel_dispatch import kernels_serve
from space.operators.kernel_operators import kernel_operator, refuse_unequal

_SOURCE = str(native.SOURCE)


def takes(x: Tensor, weights: Tensor, kernel_size: int, own: bool) -> bool:
    """Whether there are kernels for such maps, and they shall be used.

    Args:
        x: the map. weights: the kernels, of which the type and the device count.
        kernel_size: their edge.
        own: whether each image has its own.

    Raises:
        InputError: where they shall be used, and there are none.
    """
    if chosen() == "auto" and not is_quicker(x.device.type, kernel_size, own):
        return False
    return kernels_serve(_SOURCE, x, weights)


def is_quicker(kind: str, kernel_size: int, own: bool) -> bool:
    """Whether PyTorch's own convolution takes longer.

    By how many times, on one thread with vectors of 16 numbers, forward pass and training step,
    geometric means over 9 maps a size:

    * 3×3, shared: channels first 1.3 and 1.1, channels last 1.0 and 0.8;
    * 3×3, an image's own: 1.4 and 1.1, 2.9 and 2.0;
    * 5×5 to 9×9, shared: 1.5 and 4.1, 1.1 and 2.8;
    * 5×5 to 9×9, an image's own: 1.6 and 4.2, 2.5 and 5.1.

    With vectors of 8 it is alike, and above 9×9 it is more. PyTorch has the gradient of kernels
    above 3×3 at 1 to 5 GMAC/s, of 60 that there are, and copies maps that lie channels last for
    kernels of an image's own. No GPU has been measured: there it is what goes to tensor cores.

    Args:
        kind: of the device.
        kernel_size: the edge of kernels.
        own: whether each image has its own.
    """
    left = _LARGEST.get(kind)
    return left is not None and (kernel_size > left or (own and kind == "cpu"))


_LARGEST = {"cpu": 3, "cuda": 9}
"""The largest kernels, shared by all images, that are left to PyTorch."""


def _refuse_others(kernels: Tensor, x: Tensor, kernel_size: int) -> None:
    """The kernels read by the sizes of the map alone: of other weights, what is not theirs."""
    rest = x.shape[1], kernel_size, kernel_size
    if tuple(kernels.shape) not in ((x.shape[0], *rest), (1, *rest)):
        raise ValueError(
            f"kernels of {tuple(kernels.shape)} do not fit a map of {tuple(x.shape)}: must be "
            f"{(x.shape[0], *rest)}, or of 1 for all images"
        )


def _like_map(kernels: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    return torch.empty_like(x)


def _like_kernels(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    return native.empty_kernels(targets, kernel_size, shared)


summed = kernel_operator(
    "depthwise_sum(Tensor kernels, Tensor x, int kernel_size) -> Tensor",
    *(native, "summed", _refuse_others, _like_map),
)
"""Σ_t kernels[t] · x[p + t]: (B, C, H, W)."""

transposed = kernel_operator(
    "depthwise_transpose(Tensor kernels, Tensor y, int kernel_size) -> Tensor",
    *(native, "transposed", _refuse_others, _like_map),
)
"""The transpose of `summed` in x: Σ_t kernels[t] · y[q − t]."""

multiplied = kernel_operator(
    "depthwise_product(Tensor targets, Tensor sources, int kernel_size, bool shared) -> Tensor",
    *(native, "multiplied", refuse_unequal, _like_kernels),
)
"""Σ_p targets[p] · sources[p + t], shared: over images as well: (B or 1, C, k, k)."""
