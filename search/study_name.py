"""Names of studies: what a person may write, and what is made of them."""

import hashlib
import re

LONGEST_NAME = 100
"""Characters that a person may write."""
RETRAINED = "-retrained"
"""Behind the name of a study whose best are retrained."""

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_DIGITS = 8


def is_study_name(text: str) -> bool:
    """Whether a study may have this name: one that a person may write, or that was made of it."""
    return _NAME.fullmatch(text.removesuffix(RETRAINED) or text) is not None


def retrained_name(study: str) -> str:
    """The name of the study that retrains the best of another one, always the same.

    It is STUDY-retrained; where that would be no name, STUDY is cut and told apart by a hash.
    """
    plain = study + RETRAINED
    if is_study_name(plain):
        return plain
    digest = hashlib.sha256(study.encode()).hexdigest()[:_DIGITS]
    return f"{study[: LONGEST_NAME - _DIGITS - 1]}-{digest}{RETRAINED}"
