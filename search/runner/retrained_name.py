"""The name of the study that retrains the best of another one."""

import hashlib

from search.config.config import LONGEST_NAME

_ENDING = "-retrained"
_DIGITS = 8


def retrained_name(study: str) -> str:
    """STUDY-retrained; a name that would be too long is cut, and told apart by a hash of STUDY.

    The same study always has the same one, so a second `repeat` finds it.
    """
    if len(study) + len(_ENDING) <= LONGEST_NAME:
        return study + _ENDING
    ending = f"-{hashlib.sha256(study.encode()).hexdigest()[:_DIGITS]}{_ENDING}"
    return study[: LONGEST_NAME - len(ending)] + ending
