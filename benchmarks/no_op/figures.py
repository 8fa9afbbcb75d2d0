"""What a no-op trial costs, from a stopwatch."""

from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.no_op.stopwatch import Stopwatch


@dataclass(frozen=True)
class Overhead:
    """Milliseconds of a no-op trial.

    Attributes:
        name: of what. history: trials that were there before.
        trials: how many were timed.
        each: wall time from the first end to the last, by trial.
        median, p95: of the gaps between two ends, workers at the same time.
        shares: by trial, of the driver's thread: "searcher", "store", and the "rest" of the wall
            time: Ray, the workers and the waiting for them.
        start: seconds from the command to the first end, Ray's start included.
    """

    name: str
    history: int
    trials: int
    each: float
    median: float
    p95: float
    shares: dict[str, float]
    start: float


def overhead(
    name: str, history: int, stopwatch: Stopwatch, shares: tuple[str, ...], begun: float
) -> Overhead:
    """Read the figures off.

    Args:
        stopwatch: has the ends.
        shares: the shares that it counted.
        begun: when the command began, on time.perf_counter.
    """
    gaps = 1000 * np.diff(stopwatch.ends)
    each = float(gaps.mean())
    split = {share: 1000 * stopwatch.seconds[share] / len(gaps) for share in shares}
    split["rest"] = each - sum(split.values())
    start = stopwatch.ends[0] - begun
    return Overhead(
        name, history, len(gaps), each, median(gaps), float(np.percentile(gaps, 95)), split, start
    )
