"""Starting from a finished training whose images or classes were others, as IN-22K before IN-1K."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from space import Architecture
from space.errors import InputError, Problem
from space.networks import Network, build
from space.networks.initialisation import initialise
from space.networks.stem_and_head import classifier
from trainers.checkpoint import load_weights
from trainers.protocol import Protocol
from trainers.same_classes import kept_outputs
from trainers.same_network import apart_from_data


@dataclass(frozen=True, slots=True)
class SourceNetwork:
    """A finished training whose weights another begins with.

    Attributes:
        architecture: that was trained. checkpoint: file of its weights.
        protocol: that it was trained under, bound to its data.
        class_names: of these data, in the order of its outputs; empty where there are none.
    """

    architecture: Architecture
    checkpoint: Path
    protocol: Protocol
    class_names: tuple[str, ...] = ()


def finetuned_network(
    source: SourceNetwork,
    architecture: Architecture,
    protocol: Protocol,
    class_names: tuple[str, ...] = (),
) -> Network:
    """The network of an architecture, with the weights of a finished training of the same.

    Stem, stages and head must be those of the source. Images may have another size, if no weights
    are for one size only (`Network.set_input_size`). For another number of classes, or as many of
    other names, the classifier is drawn anew as the protocol's `weight_init` has it, from torch's
    global generator; of the same names in another order its outputs follow them.

    Args:
        protocol: of the training to come; its `source_protocol` says which source it means.
        class_names: of its data; where these or those of the source are not known, as many classes
            are taken for the same.

    Raises:
        InputError: at `source`, if it is of another network or protocol, if its file is missing,
            damaged, of something else or of a training that is not through, or if its weights do
            not fit images of the other size.
    """
    try:
        _check_source(source, architecture, protocol)
        network = build(source.architecture, protocol.drop_path)
        expected = {
            "architecture": source.architecture.id,
            "protocol": source.protocol.hash,
            "epoch": source.protocol.epochs,
        }
        load_weights(network, source.checkpoint, expected)
        _fit(network, architecture, protocol, (source.class_names, class_names))
    except InputError as error:
        found = [Problem("source", f"{p.where}: {p.message}") for p in error.problems]
        raise InputError(found) from None
    return network


def _check_source(source: SourceNetwork, architecture: Architecture, protocol: Protocol) -> None:
    if protocol.source_protocol != source.protocol.hash:
        message = (
            f"must be {source.protocol.hash}, the hash of the protocol that the source was trained "
            f"by; got {protocol.source_protocol}"
        )
        raise InputError.of("protocol.source_protocol", message)
    before, after = apart_from_data(source.architecture), apart_from_data(architecture)
    other = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    if other:
        message = (
            f"{source.architecture.id} is another network than {architecture.id}: they differ in "
            f"{', '.join(other)}"
        )
        raise InputError.of("architecture", message)


def _fit(
    network: Network,
    architecture: Architecture,
    protocol: Protocol,
    names: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    size = architecture.input.height, architecture.input.width
    before = network.architecture.input.height, network.architecture.input.width
    if size != before:
        network.set_input_size(size)
    classes = architecture.head.classes
    as_many = network.architecture.head.classes == classes
    outputs = kept_outputs(*names, classes) if as_many else None
    if outputs is None:
        network.head.classify = classifier(architecture.stages[-1].width, classes)
        initialise(network.head.classify, protocol.weight_init)
    else:
        _reorder(network.head.classify, outputs)
    network.architecture = architecture


@torch.no_grad()
def _reorder(classify: nn.Module, outputs: list[int]) -> None:
    """Give a classifier its own outputs in another order."""
    for parameter in classify.parameters():
        parameter.copy_(parameter[outputs])
