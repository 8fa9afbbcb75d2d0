"""Weights from outside, all or none: state dicts, and checkpoints of the paper's authors."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from space.errors import InputError, Problem, refuse
from space.networks import Network
from space.published import Variant

_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_LINEAR = ("weight", "bias")

_MIXING: dict[Variant, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "static": (("mixing.weights", "", ("weight",)), ("", "", ("bias",))),
    "dynamic": (
        ("", "", ("bias",)),
        ("mixing.weights.reduce", "conv1", ("weight",)),
        ("mixing.weights.norm", "bn", _NORM),
        ("mixing.weights.expand", "conv2", _LINEAR),
    ),
    "inhomogeneous": (
        ("mixing.weights.reduce", "conv1.0", _LINEAR),
        ("mixing.weights.norm", "conv1.1", _NORM),
        ("mixing.weights.expand", "conv2.0", _LINEAR),
    ),
}


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _block(ours: str, theirs: str, variant: Variant) -> Iterator[tuple[str, str]]:
    around = (
        ("mix.0", "attn2conv.conv0", ("weight",)),
        ("mix.1", "attn2conv.bn0", _NORM),
        ("mix.4", "attn2conv.bn", _NORM),
        ("mix.6", "attn2conv.conv2", ("weight",)),
        ("mix.7", "attn2conv.bn2", _NORM),
        ("norm", "bn", _NORM),
        ("mlp.expand", "mlp.fc1", _LINEAR),
        ("mlp.contract", "mlp.fc2", _LINEAR),
    )
    inside = tuple(
        (_join("mix.3", name), _join("attn2conv.conv", key), leaves)
        for name, key, leaves in _MIXING[variant]
    )
    for name, key, leaves in around + inside:
        for leaf in leaves:
            yield _join(ours, name, leaf), _join(theirs, key, leaf)


def authors_keys(network: Network, variant: Variant) -> dict[str, str]:
    """{our key: the authors' key} of every tensor of a network of conv blocks."""
    parts = [("stem.project", "patch_embed.proj"), ("stem.norm", "patch_embed.norm")]
    parts += [("head.norm", "norm"), ("head.classify", "head")]
    keys = {_join(a, leaf): _join(b, leaf) for a, b in parts for leaf in _LINEAR}
    stages = network.architecture.stages
    for index, stage in enumerate(stages):
        for block in range(stage.depth):
            theirs = f"layers.{index}.blocks.{block}"
            keys.update(_block(f"stages.{index}.{block}", theirs, variant))
        if index + 1 < len(stages):
            ours, theirs = f"downsamples.{index}", f"layers.{index}.downsample"
            keys |= {f"{ours}.norm.{leaf}": f"{theirs}.norm.{leaf}" for leaf in _LINEAR}
            keys[f"{ours}.reduce.weight"] = f"{theirs}.reduction.weight"
    return keys


def load_into(network: Network, variant: Variant, state_dict: object) -> None:
    """Loads a checkpoint of the authors, strictly.

    Args:
        network: of the variant, of conv blocks.
        variant: which of the authors' operators it has.
        state_dict: their state dict, or the whole checkpoint whose `model` entry it is.

    Raises:
        InputError: with the keys that are missing, not expected or of another shape; the network
            is then unchanged.
    """
    whole = isinstance(state_dict, Mapping) and "model" in state_dict
    inner = state_dict["model"] if isinstance(state_dict, Mapping) and whole else state_dict
    load_strictly(network, inner, authors_keys(network, variant))


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
    refuse(problems)
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
