"""Several networks at once: drawn without repeats."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from space.architecture import Architecture
from space.design.feasible import FeasibleSet, SpaceTooLarge
from space.errors import InputError

_PATIENCE = 200
_MOST = 100_000


def distinct(
    feasible: FeasibleSet, draw: Callable[[], Architecture], number: int
) -> Iterator[Architecture]:
    """Networks without repeats; fewer than asked for where new ones stay out.

    Of a space that has no more than that, all of them: to draw the last ones takes very long.
    """
    if not _has_more(feasible, number):
        yield from feasible.enumerate()
        return
    seen: set[str] = set()
    misses = 0
    while len(seen) < number and misses < _PATIENCE:
        architecture = draw()
        misses = misses + 1 if architecture.id in seen else 0
        if not misses:
            seen.add(architecture.id)
            yield architecture


def _has_more(feasible: FeasibleSet, number: int) -> bool:
    """Whether there are more networks; taken for granted where counting could take long."""
    if feasible.size() > 10 * number:
        return True
    try:
        return feasible.count() > number
    except SpaceTooLarge:
        return True


def checked_number(value: Any) -> int:
    """How many networks are wanted.

    Raises:
        InputError: where="number".
    """
    if type(value) is not int or not 1 <= value <= _MOST:
        message = f"must be a generator of NumPy or a whole number from 1 to {_MOST:,}"
        raise InputError.of("number", f"{message}; got {value!r:.80}")
    return value


def generator(seed: Any) -> np.random.Generator:
    """NumPy's generator of a seed; None takes one of the system's.

    Raises:
        InputError: where="seed".
    """
    if seed is not None and (type(seed) is not int or seed < 0):
        raise InputError.of("seed", f"must be a whole number from 0, or None; got {seed!r:.80}")
    return np.random.default_rng(seed)
