"""Searchers: what to try next."""

from search.searchers.base import Exhausted, Observation, Outcome, Searcher, SearchSpace
from search.searchers.distinct import DistinctSearcher
from search.searchers.make import SEARCHERS, make_searcher
from search.searchers.random_search import RandomSearcher

__all__ = [
    "SEARCHERS",
    "DistinctSearcher",
    "Exhausted",
    "Observation",
    "Outcome",
    "RandomSearcher",
    "SearchSpace",
    "Searcher",
    "make_searcher",
]
