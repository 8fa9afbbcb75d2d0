"""Whether operators take their fused kernels here: by choice, device, type, and what looks on.

On CPUs they are compiled functions, on GPUs Triton kernels.
"""

import logging
import os
import shutil
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from space.errors import InputError
from space.native_library import native_library
from space.operator_choice import VARIABLE, chosen
from space.operators.recording import recorded_for_any_batch

_LOG = logging.getLogger(__name__)
_LEAST_CAPABILITY = (7, 0)

TYPES = {
    "cpu": (torch.float32, torch.float64),
    "cuda": (torch.float32, torch.bfloat16, torch.float16),
}
"""What there are kernels for, by the kind of device; others take the plain path."""


def kernels_serve(source: str, *maps: Tensor) -> bool:
    """Whether there are kernels for such maps, and they may be used.

    Args:
        source: path of the C++ file with the kernels for CPUs.
        maps: the maps and weights.

    Raises:
        InputError: where kernels shall be used, and there are none.
    """
    choice = chosen()
    if choice == "plain" or maps[0].device.type == "meta":
        return False
    kind, types = maps[0].device.type, {x.dtype for x in maps}
    there = len(types) == 1 and types <= {*TYPES.get(kind, ())} and _kernels(kind, source)
    if choice == "fused" and not there:
        words = " and ".join(sorted(str(each).removeprefix("torch.") for each in types))
        message = (
            f"is fused, and here are no kernels for {words} on {kind}; auto takes the plain path"
        )
        raise InputError.of(VARIABLE, message)
    return there


def _kernels(kind: str, source: str) -> bool:
    return _compiled(source) if kind == "cpu" else _triton_runs()


@cache
def _compiled(source: str) -> bool:
    return native_library(Path(source)) is not None


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
    _LOG.info("Operators take their plain path on the GPU, as %s", missing)
    return False


# What torch.compiler.assume_constant_result does, but for importing torch._dynamo: a second.
_kernels._dynamo_marked_constant = True  # type: ignore[attr-defined]


def in_autocast(x: Tensor) -> Tensor:
    """In the type that autocast, where it is on, has for convolutions and products of matrices."""
    kind = x.device.type
    if kind == "meta" or x.dtype is torch.float64 or not torch.is_autocast_enabled(kind):
        return x
    return x.to(torch.get_autocast_dtype(kind))


def only_own_operations() -> bool:
    """Whether what looks on knows PyTorch's own operations alone.

    Those are exports and traces, forward-mode derivatives (`torch.func.jvp`), and
    `FlopCounterMode`.
    """
    if recorded_for_any_batch():
        return True
    return not torch.compiler.is_compiling() and (_in_forward_mode() or _counted())


def _in_forward_mode() -> bool:
    return forward_ad._current_level >= 0


def _counted() -> bool:
    # Formulas could be registered, but that imports Triton, which takes longer than all of ours.
    counter = sys.modules.get("torch.utils.flop_counter")
    if counter is None:
        return False
    mode = getattr(counter, "_FlopCounterMode", counter.FlopCounterMode)
    return any(isinstance(each, mode) for each in _get_current_dispatch_mode_stack())
