"""How the space is explored: searchers, schedulers, the runner, the store and queries."""

from search.in_process import Evaluation, Result, optimize

__all__ = ["Evaluation", "Result", "optimize"]
