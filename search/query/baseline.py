"""The searcher of a study beside the random points of the same study.

The relative improvement is (A − R) / R at equal numbers n of evaluations (Yang, Esperança and
Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020): R is the best value of the n random
points in the study's first objective, A that of the first n points of the searcher. Where the
objective is minimised it is (R − A) / R, so that above 0 is better. Its interval comes from drawing
the n random points anew with replacement (bootstrap, 95 %); it does not hold the luck of the
searcher, of which there is one run. A trial that was stopped early is one of the n evaluations, and
never the best: what it would have come to is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from search.objectives import ACCURACY, Objective

BASELINE = "random baseline"
"""Origin of the trials that are random points beside a searcher."""

ENOUGH = 10
"""Evaluations on either side from which on a comparison is made."""

ENOUGH_COMPLETE = 3
"""Of these so many must have been trained to the end: one or two tell nothing of what is best."""

_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class BaselineComparison:
    """The searcher against random search in one study.

    Attributes:
        random: evaluated random points, and searched: evaluated points of the searcher; pruned
            trials, and complete ones that keep the measured bounds; no repeats.
        random_complete, searched_complete: how many of them were trained to the end.
        objective: by which they are compared, the study's first.
        improvement: relative, above 0 is better, at min(random, searched) evaluations; None where
            they are too few.
        low, high: of its 95 % interval.
    """

    random: int
    searched: int
    random_complete: int
    searched_complete: int
    objective: Objective
    improvement: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        if self.improvement is None or self.low is None or self.high is None:
            return (
                f"Against random search: {self.random} random and {self.searched} searched "
                f"evaluations, {self.random_complete} and {self.searched_complete} of them trained "
                f"to the end, are too few to tell ({ENOUGH} of each are needed, among them "
                f"{ENOUGH_COMPLETE} trained to the end)."
            )
        better = "higher" if self.objective.direction == "maximise" else "lower"
        return (
            f"Against random search, at {min(self.random, self.searched)} evaluations each, by the "
            f"best {self.objective.name} of what was trained to the end ({better} is better): "
            "improvement "
            f"{self.improvement:+.2%} relative "
            f"(95 % interval {self.low:+.2%} to {self.high:+.2%})."
        )


def random_points(share: float, trials: int, first: int = 0) -> int:
    """How many of the trials are random points: of the first n the share of n, rounded down.

    Args:
        share: that was asked for, 0 to 1.
        first: trials at the beginning that are not given to random points.
    """
    return floor(trials * share) - floor(first * share)


def compared(
    random: Sequence[float | None],
    searched: Sequence[float | None],
    objective: Objective = ACCURACY.objectives[0],
) -> BaselineComparison:
    """The comparison of values of an objective in the order in which they were proposed.

    Args:
        random: of the random points, and searched: of the searcher's; None for what was pruned.
        objective: that they are values of.
    """
    count = min(len(random), len(searched))
    sign, best_of = (1, np.nanmax) if objective.direction == "maximise" else (-1, np.nanmin)
    numbers = len(random), len(searched), _complete(random), _complete(searched)
    untold = BaselineComparison(*numbers, objective)
    fewest = min(_complete(side[:count]) for side in (random, searched))
    if count < ENOUGH or fewest < ENOUGH_COMPLETE:
        return untold
    points, found = (np.array(side[:count], float) for side in (random, searched))  # NaN for None
    at_random, best = best_of(points), best_of(found)
    if at_random <= 0:
        return untold
    drawn = np.random.default_rng(0).choice(points, (_DRAWS, count))
    # A draw of nothing but pruned points has no best. One may be 0 where most accuracies are, which
    # says nothing of a ratio.
    draws = best_of(drawn[~np.isnan(drawn).all(1)], 1)
    ratios = sign * (best / draws[draws > 0] - 1)
    low, high = map(float, np.quantile(ratios, (0.025, 0.975)))
    return replace(untold, improvement=float(sign * (best / at_random - 1)), low=low, high=high)


def _complete(values: Sequence[float | None]) -> int:
    return sum(value is not None for value in values)
