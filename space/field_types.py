"""Fields of their declared type, or refused.

A dataclass checks nothing: the plain word "sliding" would fail every `is Locality.SLIDING`, and
break rules that hold. So a word of an axis becomes its value, and anything else is told.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from space.errors import InputError, Problem

Kind = type[StrEnum] | type[int] | type[bool] | tuple[str, ...]
"""What a field may hold: a value of an axis, a whole number, a flag, or one of some words."""


def coerce_fields(instance: object, kinds: Mapping[str, Kind]) -> None:
    """Makes the fields of a frozen dataclass what their kinds say; None stays None but on an axis.

    Raises:
        InputError: one problem for every field that holds something else.
    """
    problems = []
    for name, kind in kinds.items():
        value = getattr(instance, name)
        if type(value) is not kind:
            try:
                object.__setattr__(instance, name, coerced(value, kind))
            except ValueError:
                message = f"{shown(value)} is not allowed; {_allowed(kind)}"
                problems.append(Problem(name, message))
    if problems:
        raise InputError(problems)


def coerced(value: Any, kind: Kind) -> Any:
    """The value as one of the kind.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    fits = value in kind if isinstance(kind, tuple) else type(value) is kind
    if value is None or fits:
        return value
    raise ValueError(value)


def shown(value: object) -> str:
    """The value in few characters; Python does not print numbers of thousands of digits."""
    if isinstance(value, int) and abs(value) >= 10**12:
        return "such a number"
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:36]}…"


def _allowed(kind: Kind) -> str:
    if kind is bool:
        return "must be true or false"
    if kind is int:
        return "must be a whole number"
    words = [repr(str(word)) for word in kind]  # type: ignore[union-attr]
    return f"allowed: {', '.join(words[:-1])} or {words[-1]}"
