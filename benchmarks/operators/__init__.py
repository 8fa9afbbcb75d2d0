"""Operators beside what else computes them: cases, contenders, bounds and a stopwatch.

Needs torch and `space` alone, so that it also runs where nothing else is installed.
"""

from benchmarks.operators.comparison import main

__all__ = ["main"]
