"""Starting from a trained parent: its weights lifted into a network that contains it."""

from dataclasses import dataclass
from pathlib import Path

from space import Architecture
from space.errors import InputError, Problem
from space.morphisms import lift
from space.networks import Network, build
from trainers.checkpoint import check_tensors, load_checkpoint
from trainers.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Parent:
    """A network whose weights a child starts from.

    Attributes:
        architecture: of the parent; the child's must contain it (`space.inclusion`).
        checkpoint: file of its training, whole or broken off, under the child's protocol.
    """

    architecture: Architecture
    checkpoint: Path


def inherited(parent: Parent, child: Architecture, protocol: Protocol) -> Network:
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
        _load(network, parent, protocol)
        return lift(network, child, protocol.drop_path, protocol.weight_init)
    except InputError as error:
        found = [Problem("parent", f"{p.where}: {p.message}") for p in error.problems]
        raise InputError(found) from None


def _load(network: Network, parent: Parent, protocol: Protocol) -> None:
    expected = {"architecture": parent.architecture.id, "protocol": protocol.hash}
    weights = load_checkpoint(parent.checkpoint, expected).part("model")
    check_tensors(parent.checkpoint, weights, network.state_dict(), "network")
    network.load_state_dict(weights)
