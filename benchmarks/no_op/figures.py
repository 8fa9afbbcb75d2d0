"""What a no-op trial costs: of one run from a stopwatch, and of several rounds together."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.no_op.stopwatch import Stopwatch

PLAIN = "plain script"
"""The name of the peer."""


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


@dataclass(frozen=True)
class Spread:
    """The median of several rounds with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.lowest:.1f} – {self.highest:.1f})"


@dataclass(frozen=True)
class Rounds:
    """What a no-op trial costs over several rounds.

    Attributes:
        name, history, trials: as in Overhead, the same in every round.
        each: milliseconds of wall time by trial.
        times_less: how often it fits into what the plain script took in the same round; None
            without a plain script.
        rounds: one after the other.
    """

    name: str
    history: int
    trials: int
    each: Spread
    times_less: Spread | None
    rounds: list[Overhead]


def over_rounds(rows: Sequence[Overhead], plain: Sequence[Overhead]) -> Rounds:
    """Put rounds together.

    Args:
        rows: of one search, one a round.
        plain: of the plain script in the same rounds; empty when it was left out.
    """
    ratios = [theirs.each / mine.each for mine, theirs in zip(rows, plain, strict=bool(plain))]
    return Rounds(
        rows[0].name,
        rows[0].history,
        rows[0].trials,
        Spread.of([row.each for row in rows]),
        Spread.of(ratios) if ratios else None,
        list(rows),
    )
