"""The network that a training begins with: built for it, random or lifted from a trained parent."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from space import Architecture
from space.errors import InputError, Problem
from space.morphisms import lift
from space.networks import Network, build
from space.networks.initialisation import initialise
from trainers.checkpoint import load_weights
from trainers.protocol import Protocol

Build = Callable[[Architecture, float], nn.Module]


def build_network(architecture: Architecture, drop_path_rate: float) -> nn.Module:
    """The network of an architecture: images (batch, channels, height, width) to logits."""
    return build(architecture, drop_path_rate=drop_path_rate)


def random_network(
    architecture: Architecture, protocol: Protocol, build: Build = build_network
) -> nn.Module:
    """A network with the first weights that the protocol wants, of torch's global generator."""
    network = build(architecture, protocol.drop_path)
    initialise(network, protocol.weight_init)
    return network


@dataclass(frozen=True, slots=True)
class ParentNetwork:
    """A network whose weights a child starts from.

    Attributes:
        architecture: of the parent; the child's must contain it (`space.inclusion`).
        checkpoint: file of its training, whole or broken off, under the child's protocol.
    """

    architecture: Architecture
    checkpoint: Path


def inherited_network(parent: ParentNetwork, child: Architecture, protocol: Protocol) -> Network:
    """A network of the child's architecture that computes what the parent has learnt.

    Outputs equal the parent's in eval mode. What the child has more of is freshly initialised.

    Args:
        protocol: bound to its data; the parent must have been trained under it.

    Raises:
        InputError: at `parent`, if its file is missing, damaged or of something else, or if the
            child does not contain it.
    """
    try:
        network = build(parent.architecture)
        expected = {"architecture": parent.architecture.id, "protocol": protocol.hash}
        load_weights(network, parent.checkpoint, expected)
        return lift(network, child, protocol.drop_path, protocol.weight_init)
    except InputError as error:
        found = [Problem("parent", f"{p.where}: {p.message}") for p in error.problems]
        raise InputError(found) from None


def to_device(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, its 4-D weights in channels_last (3 to 15 times on CPUs)."""
    # The annotations of Module.to leave out the layout, which its documentation has.
    moved: nn.Module = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
