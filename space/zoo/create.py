"""Building networks of the zoo, with or without weights, and for other images or classes."""

import difflib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from space.architecture import Architecture
from space.errors import InputError
from space.networks import Network, build
from space.published import ENTRIES, ZooEntry
from space.zoo.pretrained import load_into, load_strictly

Weights = Mapping[str, Tensor] | str | Path


def entry(name: str) -> ZooEntry:
    """The entry of the zoo with this name.

    Raises:
        InputError: for a name that is not there, with those that are close.
    """
    if not isinstance(name, str):
        raise InputError.of("name", f"{name!r} is no name of the zoo")
    if name not in ENTRIES:
        close = difflib.get_close_matches(name, ENTRIES, n=3) or list(ENTRIES)
        raise InputError.of("name", f"{name[:80]!r} is not in the zoo; try {', '.join(close)}")
    return ENTRIES[name]


def create(
    name: str, *, num_classes: int = 1000, pretrained_weights: Weights | None = None
) -> Network:
    """A network of the zoo.

    Args:
        name: see `ENTRIES`.
        num_classes: size of the classifier.
        pretrained_weights: a state dict of this network or the path of a safetensors file with
            one; fresh weights by default.

    Raises:
        InputError: for an unknown name, or weights that do not fit, key by key.
    """
    network = build(varied(entry(name).architecture, num_classes=num_classes))
    if pretrained_weights is not None:
        load_strictly(network, _read(pretrained_weights))
    return network


def load_authors_weights(name: str, state_dict: object) -> Network:
    """A network of the zoo with a checkpoint of the paper's authors in it, in eval mode.

    Args:
        name: one of the dwnet, dynamic_dwnet and i_dynamic_dwnet networks.
        state_dict: the loaded checkpoint, or its `model` entry.

    Raises:
        InputError: for a network that the authors have no checkpoint layout for, or a state dict
            that does not fit, with the list of keys.
    """
    found = entry(name)
    if found.authors_variant is None:
        allowed = ", ".join(e.name for e in ENTRIES.values() if e.authors_variant)
        raise InputError.of("name", f"the authors' layout has no {name!r}; allowed: {allowed}")
    network = build(found.architecture)
    load_into(network, found.authors_variant, state_dict)
    return network.eval()


def _read(weights: object) -> object:
    if not isinstance(weights, str | Path):
        return weights
    try:
        return load_file(weights)
    except (OSError, SafetensorError) as error:
        raise InputError.of(str(weights), f"is no safetensors file: {error}") from None


def varied(
    architecture: Architecture,
    *,
    num_classes: int | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Architecture:
    """The architecture for another number of classes, size of images or number of channels.

    Args:
        architecture: where the rest comes from.
        num_classes, image_size (height, width), channels: None leaves them as they are.

    Raises:
        InputError: for values that no architecture has.
    """
    values = architecture.to_dict()
    given = (num_classes, channels, *(image_size or (None, None)))
    fields = (("head", "classes"), ("input", "channels"), ("input", "height"), ("input", "width"))
    for (part, field), value in zip(fields, given, strict=True):
        if value is not None:
            values[part][field] = value
    return Architecture.from_dict(values)
