"""The weights of an exported network: one safetensors file, sealed with a hash, never pickled."""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor, nn

from space import Architecture
from space.errors import InputError
from trainers.checkpoint import check_tensors, seal, sealed_tensors

NAME = "model.safetensors"
FORMAT = "mixspace weights 1"


def write_weights(path: Path, network: nn.Module, architecture: Architecture) -> None:
    """Write the tensors of a network's state dict under their own names.

    Args:
        path: the file.
        network: of the architecture, on the CPU.
        architecture: its id goes into the metadata.
    """
    tensors = {name: tensor.detach().contiguous() for name, tensor in _tensors(network).items()}
    state = json.dumps({"architecture": architecture.id})
    sealed = {"format": FORMAT, "state": state, "sha256": seal(FORMAT, tensors, state)}
    path.write_bytes(save(tensors, sealed))  # whose errors say what is wrong with the disk


def read_weights(path: Path, architecture: Architecture, network: nn.Module) -> None:
    """Give a network the weights of a file.

    Args:
        path: what `write_weights` wrote.
        architecture: whose they must be.
        network: of this architecture.

    Raises:
        InputError: naming the file, if it is missing, damaged, pickled, or of another network.
        OSError: the operating system does not let it be read.
    """
    metadata, tensors = sealed_tensors(path, FORMAT, NAME, "an exported file of weights")
    found = json.loads(metadata["state"]).get("architecture")
    if found != architecture.id:
        message = f"{path} has the weights of architecture {found}, not of {architecture.id}"
        raise InputError.of(NAME, message)
    check_tensors(path, tensors, _tensors(network), "network", NAME)
    network.load_state_dict(tensors)


def _tensors(network: nn.Module) -> Mapping[str, Tensor]:
    found: Mapping[str, Tensor] = network.state_dict()
    return found
