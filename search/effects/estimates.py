"""The mean of differences over contexts, with its interval, and tests of many at once.

The pairs of one context share networks and what is peculiar to it, so a context counts once, by the
mean of its pairs. The means of contexts are taken as draws from all contexts that there could be,
which is the model `difference ~ 1 + (1 | context)`; their mean has an interval by Student's t. Of
types and sizes of mixers nothing is drawn: an effect is the mean over those that were tried.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from space.wording import NONE

Floats = NDArray[np.float64]

MARGIN = 0.005
"""A difference of accuracies (0 to 1) below which nobody chooses by it: half a point."""

ENOUGH = 3
"""Contexts from which on an interval tells of others of the kind."""

LEVEL = 0.05
"""What p is below of what is told."""
_AMONG_MANY = ", among so many"


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """How trainings of one network scatter.

    Attributes:
        deviation: standard deviation of an accuracy over seeds.
        freedom: degrees of freedom that it is known with.
    """

    deviation: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of a difference.

    Attributes:
        mean: over contexts.
        low, high: its interval of 95 %: over contexts, of fewer than three over seeds; NaN where
            nothing is known of these.
        p: of no difference, two-sided; NaN likewise.
        contexts: how many.
    """

    mean: float
    low: float
    high: float
    p: float
    contexts: int

    @property
    def bound(self) -> float:
        """What the difference is not larger than, in either direction; NaN without an interval."""
        return max(abs(self.low), abs(self.high))


def over_contexts(means: Floats, least_error: float = 0.0, freedom: float = 0.0) -> Estimate:
    """The mean over contexts.

    Args:
        means: (contexts,), of the differences in each.
        least_error: standard error that the seeds alone leave to the mean of all; few contexts may
            happen to agree by chance better than they can. 0 where nothing is known of it.
        freedom: degrees of freedom of that error.
    """
    count = len(means)
    mean = float(np.mean(means)) if count else math.nan
    if count >= ENOUGH:
        error = max(float(np.std(means, ddof=1)) / math.sqrt(count), least_error)
        return _estimate(mean, error, count - 1, count)
    if count and least_error > 0 and freedom > 0:
        return _estimate(mean, least_error, freedom, count)
    return Estimate(mean, math.nan, math.nan, math.nan, count)


def _estimate(mean: float, error: float, freedom: float, contexts: int) -> Estimate:
    if error == 0.0:
        return Estimate(mean, mean, mean, 1.0 if mean == 0.0 else 0.0, contexts)
    from scipy.special import stdtr, stdtrit  # takes a good part of a second to import

    reach = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Estimate(mean, mean - reach, mean + reach, p, contexts)


def points(difference: float) -> str:
    """A difference of accuracies (0 to 1) in points; a dash where it is not known."""
    return NONE if math.isnan(difference) else f"{100 * difference:+.2f}"


def interval_in_points(estimate: Estimate) -> str:
    """The interval of 95 %; a dash where nothing is known of it."""
    if math.isnan(estimate.low):
        return NONE
    return f"[{points(estimate.low)}, {points(estimate.high)}]"


def differs_between(groups: Sequence[Floats]) -> float:
    """p of equal means in all groups, by one-way analysis of variance; NaN where it has none."""
    from scipy.stats import f_oneway

    several = [group for group in groups if len(group) > 1]
    if len(several) < 2 or not any(np.ptp(group) > 0 for group in several):
        return math.nan
    return float(f_oneway(*several).pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """p-values of several tests, corrected so that all hold at once (Holm, 1979); NaN stays."""
    known = sorted((p, place) for place, p in enumerate(values) if not math.isnan(p))
    corrected = list(values)
    highest = 0.0
    for done, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - done)))
        corrected[place] = highest
    return corrected


def verdict(estimate: Estimate, p: float, margin: float) -> str:
    """What an estimate says, in words; with "here" where it tells of these networks alone.

    Args:
        estimate: of a difference of accuracies.
        p: of no difference, corrected for the tests beside it.
        margin: a difference that matters to nobody.
    """
    if math.isnan(estimate.p):
        return "cannot tell"
    here = "" if estimate.contexts >= ENOUGH else " here"
    if p < LEVEL:
        return ("helps" if estimate.mean > 0 else "hurts") + here
    if estimate.bound <= margin:
        return f"no difference larger than {100 * estimate.bound:.2f} points{here}"
    return "cannot tell" + (_AMONG_MANY if estimate.p < LEVEL else "")


def verdict_by_group(estimates: Mapping[str, Estimate], p: float, margin: float) -> str | None:
    """What estimates say that turn with their group, in words; None where they do not.

    Args:
        estimates: of one difference in each group.
        p: of equal differences in all groups, corrected for the tests beside it.
        margin: a difference that matters to nobody.
    """
    if not p < LEVEL:
        return None
    corrected = holm([each.p for each in estimates.values()])
    words = {
        name: verdict(each, own, margin).removesuffix(_AMONG_MANY)
        for (name, each), own in zip(estimates.items(), corrected, strict=True)
    }
    same: dict[str, list[str]] = {}
    for name, word in words.items():
        same.setdefault(word, []).append(name)
    if len(same) == 1:
        return None
    return "; ".join(f"{word} in {', '.join(names)}" for word, names in same.items())
