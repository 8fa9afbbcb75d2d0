"""Surrogate-guided search: a Gaussian process proposes what promises the largest improvement."""

from search.searchers.surrogate.searcher import SurrogateSearcher

__all__ = ["SurrogateSearcher"]
