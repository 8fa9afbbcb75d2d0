"""How the space is explored: searchers, schedulers, the runner, the store and queries."""

import search.own_rooms  # noqa: F401 - first, so that no other room is taken for one of ours
from search.in_process import Evaluation, Result, optimize

__all__ = ["Evaluation", "Result", "optimize"]
