"""How much the closed forms remember.

Architectures of a space share most of their pieces: a mixer in a block of some width on some map.
What a piece costs is computed once and kept, up to a number of pieces.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar

LARGE = 1 << 17
"""Blocks with a mixer: a few hundred bytes each."""

SMALL = 1 << 14
"""Stems, heads and downsampling layers."""

P = ParamSpec("P")
R = TypeVar("R")

_FORGET: list[Callable[[], None]] = []


def remembered(pieces: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that keeps the results for the arguments used last, at most `pieces` of them."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        cached = lru_cache(pieces)(function)
        _FORGET.append(cached.cache_clear)
        return cached  # type: ignore[return-value]

    return decorate


def forget() -> None:
    """Drops all that is remembered, to measure what the first architectures take."""
    for clear in _FORGET:
        clear()
