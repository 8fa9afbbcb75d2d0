"""The network as a program of `torch.export`, with any number of images."""

from io import BytesIO
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from space import Architecture
from trainers.export.parity import Parity, compared

NAME = "model.pt2"
INPUT, OUTPUT = "images", "logits"
ALLOWED = 1e-5
_MOST_IMAGES = 2**16


def traced(network: nn.Module, architecture: Architecture) -> ExportedProgram:
    """The program of a network in evaluation mode; its first dimension is free."""
    image = architecture.input
    images = torch.zeros(2, image.channels, image.height, image.width)
    free = {INPUT: {0: Dim("batch", min=1, max=_MOST_IMAGES)}}
    with torch.no_grad():
        program = torch.export.export(network, (images,), dynamic_shapes=free)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def write_program(
    path: Path, program: ExportedProgram, network: nn.Module, architecture: Architecture
) -> Parity:
    """Write a program; what is read back is compared with the network.

    Raises:
        NotEqual: it computes something else.
    """
    content = BytesIO()
    torch.export.save(program, content)
    path.write_bytes(content.getbuffer())  # whose errors say what is wrong with the disk
    again = torch.export.load(path).module()
    return compared(NAME, network, again, architecture, ALLOWED)
