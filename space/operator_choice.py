"""Which path operators take: the plain composition, or fused kernels that compute the same.

`MIXSPACE_OPERATORS` says it, before Python starts: `auto` (fused where kernels are at hand, which
is the default), `plain`, or `fused` (refused where there are none).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from space.errors import InputError

Choice = Literal["auto", "plain", "fused"]
PathName = Literal["plain", "fused"]

VARIABLE = "MIXSPACE_OPERATORS"


def choice_of(text: str) -> Choice:
    """A choice from its word.

    Raises:
        InputError: for a word that is none.
    """
    for word in get_args(Choice):
        if text.strip().lower() == word:
            return word  # type: ignore[no-any-return]
    allowed = ", ".join(get_args(Choice))
    raise InputError.of(VARIABLE, f"{text!r} is not allowed; must be one of {allowed}")


_chosen: Choice | None = None


def chosen() -> Choice:
    """What holds now.

    Raises:
        InputError: where the variable of the environment has another word.
    """
    global _chosen
    if _chosen is None:
        _chosen = choice_of(os.environ.get(VARIABLE, "auto") or "auto")
    return _chosen


@contextmanager
def operators(choice: Choice) -> Iterator[None]:
    """Within it, operators take this path; for comparing them with each other."""
    global _chosen
    before = chosen()
    _chosen = choice_of(choice)
    try:
        yield
    finally:
        _chosen = before
