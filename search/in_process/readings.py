"""What an objective returned, checked and by name."""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from search.numeric import as_number
from search.objectives import Values

DEFAULT = "objective"
"""Name of the figure of an objective that returns a plain number."""

Objective = Callable[[Any], Any]


class BadReading(ValueError):
    """An objective returned what cannot be judged; the message says what."""


def readings(
    objective: Objective, point: Any, fidelities: int
) -> Generator[tuple[int, Values], None, None]:
    """Fidelities with their figures: from 1 of a generator, only the last of what returns.

    Raises:
        BadReading: for what is neither a finite number nor a dictionary of such by name.
    """
    returned = objective(point)
    if not isinstance(returned, Iterator):
        yield fidelities, read(returned)
        return
    fidelity = 0
    try:
        for fidelity, value in enumerate(returned, 1):
            yield fidelity, read(value)
    finally:
        close = getattr(returned, "close", None)
        if close is not None:
            close()  # a stopped evaluation may hold a GPU or a file
    if not fidelity:
        raise BadReading("the objective yielded nothing")


def read(returned: Any) -> Values:
    """One reading: a number, or a dictionary of numbers by name.

    Raises:
        BadReading: for anything else, and for what is not finite.
    """
    if isinstance(returned, Mapping):
        if not returned:
            raise BadReading("the objective returned an empty dictionary")
        return {str(name): _number(value, f"{name} = ") for name, value in returned.items()}
    return {DEFAULT: _number(returned, "")}


def _number(value: Any, name: str) -> float:
    if value is None:
        raise BadReading("the objective returned nothing (None); it must return a number")
    number = _real(value)
    if number is None:
        kind = type(value).__name__
        raise BadReading(f"the objective returned {name}{value!r} ({kind}), which is not a number")
    if not math.isfinite(number):
        raise BadReading(f"the objective returned {name}{number}, which is not finite")
    return number


def _real(value: Any) -> float | None:
    """Numbers, and arrays and tensors that hold a single one; not text, not truth values."""
    number = as_number(value)
    if number is not None or isinstance(value, bool):
        return number
    item = getattr(value, "item", None)
    if not callable(item):
        return None
    try:
        inner = item()
    except (ValueError, RuntimeError, TypeError):
        return None
    return None if inner is value else _real(inner)
