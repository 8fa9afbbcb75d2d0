"""network.py, compared with the network: as it was written, imported as any user would."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from space import Architecture
from trainers.export.parity import Parity, compared
from trainers.export.weights_file import NAME as WEIGHTS

NAME = "network.py"
ALLOWED = 1e-5
_MODULE = "mixspace_exported_network"


def source_of(architecture: Architecture) -> str:
    """The text of network.py.

    Raises:
        InputError: why the network cannot stand alone.
    """
    from trainers.export.standalone import standalone_source

    return standalone_source(architecture)


def write_standalone(folder: Path, network: nn.Module, architecture: Architecture) -> Parity:
    """Write network.py; what it builds is compared with the network, given the written weights.

    Raises:
        NotEqual: it computes something else.
    """
    path = folder / NAME
    path.write_text(source_of(architecture), "utf-8")
    alone = built_alone(path)
    alone.load_state_dict(load_file(folder / WEIGHTS))
    return compared(NAME, network, alone.eval(), architecture, ALLOWED)


def built_alone(path: Path) -> nn.Module:
    """The network that a file builds, which this program wrote."""
    spec = spec_from_file_location(_MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # nothing but what is exported goes into the folder
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    network: nn.Module = module.build()
    return network
