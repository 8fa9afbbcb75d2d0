"""Measures of which the truth is known: drawn from a bivariate normal law."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from search.fidelity import FullResults
from search.fidelity.pairs import Floats

SIMULATIONS = 200


def pair(seed: int, number: int, correlation: float) -> tuple[Floats, Floats]:
    """A proxy and full results, (number,) each; `tau_of(correlation)` is the truth."""
    rng = np.random.default_rng(seed)
    full = rng.normal(size=number)
    noise = rng.normal(size=number)
    return correlation * full + math.sqrt(1 - correlation**2) * noise, full


def tau_of(correlation: float) -> float:
    """Kendall's tau of a bivariate normal law (Greiner's relation)."""
    return 2 / math.pi * math.asin(correlation)


def covered(truth: float, interval: Callable[[int], tuple[float | None, float | None]]) -> float:
    """In which share of the simulations the interval of a seed holds the truth."""
    hits = 0
    for seed in range(SIMULATIONS):
        low, high = interval(seed)
        assert low is not None
        assert high is not None
        hits += low <= truth <= high
    return hits / SIMULATIONS


def results(accuracy: Floats, **changes: Any) -> FullResults:
    """Full results of one family and of sizes that say nothing."""
    number = len(accuracy)
    sizes = np.random.default_rng(77).uniform(1e5, 1e6, (2, number))
    values: dict[str, Any] = {
        "families": ["one"] * number,
        "params": sizes[0],
        "macs": sizes[1],
        "again": np.full(number, np.nan),
    }
    return FullResults(accuracy, **values | changes)
