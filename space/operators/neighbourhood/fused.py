"""Sums and products over neighbourhoods in one pass: the fused path.

On CPUs by compiled functions (`native`), on GPUs by Triton kernels (`triton_kernels`). They are
operators of PyTorch, so that compiled graphs hold them whole. Maps are (B, heads, channels, H, W)
in whatever order they lie in memory, weights (B or 1, heads, k·k, H, W).
"""

import logging
import os
import shutil
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from space.errors import InputError
from space.operator_choice import VARIABLE, chosen
from space.operators.neighbourhood import native

_LOG = logging.getLogger(__name__)
_LEAST_CAPABILITY = (7, 0)

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
    if choice == "plain" or maps[0].device.type == "meta":
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
    return native.library() is not None if kind == "cpu" else _triton_runs()


@cache
def _triton_runs() -> bool:
    """Triton compiles what starts its kernels with a C compiler, on the first call."""
    if find_spec("triton") is None:
        missing = "Triton is not installed"
    elif not (os.environ.get("CC") or any(map(shutil.which, ("cc", "gcc", "clang")))):
        missing = "Triton finds no C compiler; install gcc, or name one in CC"
    elif torch.version.cuda is not None and torch.cuda.get_device_capability() < _LEAST_CAPABILITY:
        missing = "this GPU is older than what Triton compiles for"
    else:
        return True
    _LOG.info("Sums over neighbourhoods take their plain path on the GPU, as %s", missing)
    return False


# What torch.compiler.assume_constant_result does, but for importing torch._dynamo: a second.
_kernels._dynamo_marked_constant = True  # type: ignore[attr-defined]


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
