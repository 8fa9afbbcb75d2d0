"""The text of a stand-alone file: a network as one module that needs torch alone."""

from space.architecture import Architecture
from space.errors import Problem, refuse
from trainers.export.standalone.assembly import assembled
from trainers.export.standalone.refusals import refusals


def standalone_source(architecture: Architecture) -> str:
    """A Python module with the network of an architecture, written as a person would.

    It imports torch and the standard library alone, and has a class for each part that the network
    needs and for no other, `Network`, `build()` and `load(path)`, which reads a safetensors file
    and imports safetensors for it. The state dict has the keys, shapes and dtypes of that of
    `space.networks.build`. It is for images of the architecture's size, in batches of any; there is
    no stochastic depth. Custom mixers stand in it with their own source.

    Args:
        architecture: of the network.

    Returns:
        The text, formatted, the same for the same architecture.

    Raises:
        InputError: for what `refusals` says.
    """
    refuse(Problem("architecture", reason) for reason in refusals(architecture))
    return assembled(architecture)
