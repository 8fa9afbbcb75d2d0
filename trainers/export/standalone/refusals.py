"""What cannot be written as a stand-alone file, said before anything is."""

from space.architecture import Architecture
from space.mixer import Mixer
from trainers.export.standalone.weights import WRITTEN_SOURCES


def refusals(architecture: Architecture) -> list[str]:
    """The reasons why a network cannot be written; none if it can.

    Args:
        architecture: of the network.
    """
    return [reason for mixer in architecture.mixers() if (reason := _reason(mixer))]


def _reason(mixer: Mixer) -> str:
    if mixer.is_custom:
        return f"{mixer.label!r} is a mixer of your own; its source is not part of mixspace"
    if mixer.dynamics not in WRITTEN_SOURCES:
        return f"no stand-alone form is known of weights that are {mixer.dynamics}"
    return ""
