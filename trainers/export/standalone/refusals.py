"""What cannot be written as a stand-alone file, said before anything is."""

from space.architecture import Architecture
from space.custom import CustomMixer
from space.mixer import Mixer
from trainers.export.standalone.assembly import assembled
from trainers.export.standalone.custom_mixers import NotIncludedError, refusal
from trainers.export.standalone.weights import WRITTEN_SOURCES


def refusals(architecture: Architecture) -> list[str]:
    """The reasons why a network cannot be written; none if it can.

    Args:
        architecture: of the network.
    """
    reasons = [reason for mixer in architecture.mixers() if (reason := _refusal(mixer))]
    if reasons or not any(mixer.is_custom for mixer in architecture.mixers()):
        return reasons
    try:
        assembled(architecture)
    except NotIncludedError as error:  # names that meet in one file
        return [str(error)]
    return []


def _refusal(mixer: Mixer) -> str | None:
    if isinstance(mixer, CustomMixer):
        return refusal(mixer)
    if mixer.dynamics not in WRITTEN_SOURCES:
        return f"weights that are {mixer.dynamics} have no stand-alone form yet"
    return None
