"""Searchers: what to try next."""

from search.searchers.make_searcher import SEARCHERS, DistinctSearcher, make_searcher
from search.searchers.random_search import RandomSearcher
from search.searchers.searcher import (
    DecisionSpace,
    Exhausted,
    Observation,
    Searcher,
    SearchSpace,
    Task,
)

__all__ = [
    "SEARCHERS",
    "DecisionSpace",
    "DistinctSearcher",
    "Exhausted",
    "Observation",
    "RandomSearcher",
    "SearchSpace",
    "Searcher",
    "Task",
    "make_searcher",
]
