"""Kernels as operators of PyTorch, which compiled graphs hold whole.

They are defined by hand: what `torch.library.custom_op` puts around a call takes longer than a
convolution of a small map.
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

_LIBRARY = torch.library.Library("mixspace", "FRAGMENT")
_TAGS = (torch.Tag.pt2_compliant_tag, torch.Tag.needs_fixed_stride_order)
"""Results lie in memory as the maps do, so that compilers must hand these over as they were."""


def kernel_operator(
    schema: str,
    native: ModuleType,
    function: str,
    refuse: Callable[..., None],
    empty: Callable[..., Tensor],
) -> Callable[..., Tensor]:
    """An operator of two tensors and numbers.

    Args:
        schema: its name and what it takes, as PyTorch writes it.
        native: the module with the functions for CPUs; beside it lies `triton_kernels`.
        function: the name of the function in both.
        refuse: raises for what the kernels must not read, given all arguments.
        empty: the result but for its numbers, as compilers need it.
    """

    def on_cpu(*arguments: Any) -> Tensor:
        _refuse_other_types(*arguments)
        refuse(*arguments)
        found: Tensor = getattr(native, function)(*arguments)
        return found

    def on_gpu(*arguments: Any) -> Tensor:
        _refuse_other_types(*arguments)
        refuse(*arguments)
        kernels = import_module(f"{native.__package__}.triton_kernels")
        found: Tensor = getattr(kernels, function)(*arguments)
        return found

    name, _, _ = schema.partition("(")
    _LIBRARY.define(schema, tags=_TAGS)
    _LIBRARY.impl(name, on_cpu, "CPU")
    _LIBRARY.impl(name, on_gpu, "CUDA")
    torch.library.register_fake(f"mixspace::{name}", empty, lib=_LIBRARY)
    operator: Callable[..., Tensor] = getattr(torch.ops.mixspace, name).default
    return operator


def _refuse_other_types(one: Tensor, other: Tensor, *_: Any) -> None:
    """The kernels read both as of one type, on one device."""
    if one.dtype is not other.dtype or one.device != other.device:
        kinds = " and ".join(f"{each.dtype} on {each.device}" for each in (one, other))
        raise ValueError(f"both must be of one type and on one device; got {kinds}")


def refuse_unequal(targets: Tensor, sources: Tensor, *_: Any) -> None:
    """Maps that are multiplied with each other have one shape.

    Raises:
        ValueError: for others, of which kernels would read what is not theirs.
    """
    if targets.shape != sources.shape:
        shapes = tuple(targets.shape), tuple(sources.shape)
        raise ValueError(f"targets and sources must have one shape; got {shapes[0]}, {shapes[1]}")
