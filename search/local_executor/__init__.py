"""Searching any space in this process, without Ray and without a store."""

from search.local_executor.optimize import optimize
from search.local_executor.result import Evaluation, Result

__all__ = ["Evaluation", "Result", "optimize"]
