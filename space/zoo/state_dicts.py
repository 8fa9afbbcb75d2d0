"""Fitting a state dict to a network: all of it, or a refusal with every key that is off."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from space.errors import InputError, Problem


def load_strictly(
    network: nn.Module, given: object, names: Mapping[str, str] | None = None
) -> None:
    """Loads a state dict whose keys and shapes are exactly those of the network.

    Args:
        network: unchanged if anything is off.
        given: the state dict, as it came from outside.
        names: {key of the network: key of the state dict}; the same keys by default.

    Raises:
        InputError: with every key that is missing, not expected, no tensor, of another shape, or
            whose numbers cannot be taken as they are.
    """
    if not isinstance(given, Mapping):
        raise InputError.of("state_dict", f"is a {type(given).__name__}, not a state dict")
    own = network.state_dict()
    names = {name: name for name in own} if names is None else names
    expected = set(names.values())
    problems = [Problem(key, "is missing") for key in names.values() if key not in given]
    unexpected = sorted(_shown(key) for key in given if key not in expected)
    problems += [Problem(key, "is not expected") for key in unexpected]
    loaded: dict[str, Tensor] = {}
    for name, key in names.items():
        if key in given:
            fitted = _fitted(given[key], own[name])
            if isinstance(fitted, Tensor):
                loaded[name] = fitted
            else:
                problems.append(Problem(key, fitted))
    if problems:
        raise InputError(problems)
    network.load_state_dict(loaded, strict=True)


def _shown(key: object) -> str:
    return key if isinstance(key, str) else f"{key!r}"[:80]


def _fitted(value: object, like: Tensor) -> Tensor | str:
    """The tensor in our shape (linear maps are 1×1 convolutions here), or what is wrong with it."""
    wanted = tuple(like.shape)
    if not isinstance(value, Tensor):
        return f"is a {type(value).__name__}, not a tensor of shape {wanted}"
    if problem := _unreadable(value, like):
        return problem
    if value.dim() == 2 and like.dim() == 4 and wanted[2:] == (1, 1):
        value = value[:, :, None, None]
    if value.shape != torch.Size(wanted):
        return f"has shape {tuple(value.shape)}; needed: {wanted}"
    return value.to(like.dtype)


def _unreadable(value: Tensor, like: Tensor) -> str | None:
    """Why the numbers of a tensor cannot be taken over, if so: none are there, or of other kind."""
    layout = "nested" if value.is_nested else value.layout
    if layout is not torch.strided:
        return f"has layout {layout}; needed: a dense tensor (torch.strided)"
    if value.is_meta:
        return "is on the device meta, without data; needed: a tensor with data"
    if _kind(value) != _kind(like):
        return f"has dtype {value.dtype}; needed: {_kind(like)}, such as {like.dtype}"
    return None


def _kind(value: Tensor) -> str:
    if value.dtype.is_floating_point:
        return "floating point"
    plain = value.dtype is not torch.bool and not value.is_complex() and not value.is_quantized
    return "whole numbers" if plain else str(value.dtype)
