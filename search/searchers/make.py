"""A searcher by its name."""

from collections.abc import Mapping
from typing import Any

from search.searchers.base import P, Searcher, SearchSpace
from search.searchers.distinct import DistinctSearcher
from search.searchers.random_search import RandomSearcher

SEARCHERS = ("random", "tpe")
"""The names that a configuration may use."""


def make_searcher(
    name: str, space: SearchSpace[P], seed: int, options: Mapping[str, Any] | None = None
) -> Searcher[P]:
    """The searcher of that name, wrapped so that it proposes no point twice.

    Args:
        name: one of SEARCHERS.
        space: what is searched.
        seed: of all random choices.
        options: keyword arguments of the searcher, as the configuration checked them.
    """
    inner: Searcher[P]
    if name == "random":
        inner = RandomSearcher(space, seed)
    elif name == "tpe":
        from search.searchers.tpe import TpeSearcher  # only TPE needs Optuna

        inner = TpeSearcher(space, seed, **dict(options or {}))
    else:
        raise ValueError(f"unknown searcher {name!r}; there are {', '.join(SEARCHERS)}")
    return DistinctSearcher(inner, space, seed)
