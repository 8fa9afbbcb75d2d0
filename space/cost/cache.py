"""How much the closed forms keep.

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

_CLEAR: list[Callable[[], None]] = []


def cached(pieces: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that keeps the results for the arguments used last, at most `pieces` of them."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        kept = lru_cache(pieces)(function)
        _CLEAR.append(kept.cache_clear)
        return kept  # type: ignore[return-value]

    return decorate


def clear_caches() -> None:
    """Drops all that is kept, to measure what the first architectures take."""
    for clear in _CLEAR:
        clear()
