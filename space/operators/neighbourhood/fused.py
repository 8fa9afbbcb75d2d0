"""Sums and products over neighbourhoods in one pass: the fused path.

On CPUs by compiled functions (`native`), on GPUs by Triton kernels (`triton_kernels`). They are
operators of PyTorch, so that compiled graphs hold them whole. Maps are (B, heads, channels, H, W)
in whatever order they lie in memory, weights (B or 1, heads, k·k, H, W).
"""

from importlib.util import find_spec

import torch
from torch import Tensor

from space.errors import InputError
from space.operators.choice import VARIABLE, chosen
from space.operators.neighbourhood import native

TYPES = {
    "cpu": (torch.float32, torch.float64),
    "cuda": (torch.float32, torch.bfloat16, torch.float16),
}
"""What there are kernels for, by the kind of device; others take the plain path."""


def serves(*maps: Tensor) -> bool:
    """Whether there are kernels for such maps, and they shall be used.

    Raises:
        InputError: where they shall be used, and there are none.
    """
    choice = chosen()
    if choice == "plain":
        return False
    kind, types = maps[0].device.type, {x.dtype for x in maps}
    there = len(types) == 1 and types <= {*TYPES.get(kind, ())} and _kernels(kind)
    if choice == "fused" and not there:
        words = " and ".join(sorted(str(each).removeprefix("torch.") for each in types))
        message = (
            f"is fused, and here are no kernels for {words} on {kind}; auto takes the plain path"
        )
        raise InputError.of(VARIABLE, message)
    return there


def _kernels(kind: str) -> bool:
    if kind == "cpu":
        return native.library() is not None
    return find_spec("triton") is not None


# What torch.compiler.assume_constant_result does, but for importing torch._dynamo: a second.
_kernels._dynamo_marked_constant = True  # type: ignore[attr-defined]


@torch.library.custom_op("mixspace::neighbourhood_sum", mutates_args=(), device_types="cpu")
def summed(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, p] · x[p + t]: (B, heads, channels, H, W)."""
    return native.summed(weights, x, kernel_size)


@torch.library.custom_op("mixspace::neighbourhood_scatter", mutates_args=(), device_types="cpu")
def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """The transpose of `summed` in x: Σ_t weights[t, q − t] · y[q − t]."""
    return native.scattered(weights, y, kernel_size)


@torch.library.custom_op("mixspace::neighbourhood_dot", mutates_args=(), device_types="cpu")
def dotted(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    """Σ_c targets[c, p] · sources[c, p + t], shared: over images: (B or 1, heads, k·k, H, W)."""
    return native.dotted(targets, sources, kernel_size, shared)


@summed.register_kernel("cuda")
def _(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    return triton_kernels.summed(weights, x, kernel_size)


@scattered.register_kernel("cuda")
def _(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    return triton_kernels.scattered(weights, y, kernel_size)


@dotted.register_kernel("cuda")
def _(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    from space.operators.neighbourhood import triton_kernels

    return triton_kernels.dotted(targets, sources, kernel_size, shared)


@summed.register_fake
@scattered.register_fake
def _(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    return torch.empty_like(x)


@dotted.register_fake
def _(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False) -> Tensor:
    return native.empty_products(targets, kernel_size, shared)
