"""Searchers: what to try next."""

from search.searchers.base import (
    DecisionSpace,
    Exhausted,
    Observation,
    Searcher,
    SearchSpace,
    Task,
)
from search.searchers.distinct import DistinctSearcher
from search.searchers.make import SEARCHERS, make_searcher
from search.searchers.random_search import RandomSearcher

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
