"""Calls of kernels with tensors: compiled functions of this process, and Triton's on a device."""

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from space.native_library import native_library

_SUFFIXES = {torch.float32: "float32", torch.float64: "float64"}
_ALONE = 1 << 18
"""Multiplications that one thread is done with before others have begun."""


def strides(x: Tensor, images: int) -> tuple[int, ...]:
    """In elements; the one image of weights that all share is each image's."""
    found = x.stride()
    return (0, *found[1:]) if x.shape[0] == 1 and images != 1 else found


def call_native(
    source: Path,
    name: str,
    tensors: Sequence[Tensor],
    sizes: Sequence[int],
    flag: bool | None,
    multiplications: int,
) -> None:
    """Call a function of a C++ file on tensors of one type.

    It gets, of each tensor, the address and the strides, then the sizes, the flag if there is one,
    and the number of threads.

    Args:
        source: the file, see `native_library`, which must have made it.
        name: of the function, without its type.
        tensors: any of them may have one image for all.
        sizes: the first is the number of images.
        flag: passed on.
        multiplications: how much there is to do.
    """
    function = getattr(native_library(source), f"{name}_{_SUFFIXES[tensors[0].dtype]}")
    arguments: list[object] = []
    for each in tensors:
        places = strides(each, sizes[0])
        arguments += [ctypes.c_void_p(each.data_ptr()), _numbers(places)]
    arguments.append(_numbers(sizes))
    if flag is not None:
        arguments.append(int(flag))
    threads = 1 if multiplications < _ALONE else torch.get_num_threads()
    function(*arguments, threads)


def _numbers(values: Sequence[int]) -> ctypes.Array[ctypes.c_int64]:
    return (ctypes.c_int64 * len(values))(*values)


def launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **constants: Any) -> None:
    """A Triton kernel on the device of its first tensor, which need not be the current one."""
    device = arguments[0].device
    with torch.cuda.device(device if device.type == "cuda" else -1):
        kernel[grid](*arguments, **constants)
