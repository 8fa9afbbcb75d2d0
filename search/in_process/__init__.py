"""Searching any space in this process, without Ray and without a store."""

from search.in_process.optimize import optimize
from search.in_process.result import Evaluation, Result

__all__ = ["Evaluation", "Result", "optimize"]
