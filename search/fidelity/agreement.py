"""How far the order by one measure is that by another: Kendall's tau-b with its interval.

The interval is a confidence interval over architectures, as if as many others of the same kind had
been drawn: delete-one jackknife of tau, on the scale of Fisher's atanh, with Student's t of n - 1
degrees of freedom. It does not hold the luck of the seeds, which the ceiling tells.
"""

import math
from dataclasses import dataclass

import numpy as np

from search.fidelity.pairs import Floats, PairCounts, count_pairs

ENOUGH = 10
"""Points below which nothing is said: intervals of fewer hold nearly everything."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Kendall's tau-b of two measures.

    Attributes:
        n: points that it stands on.
        tau: -1 to 1, above 0 where the orders agree; None where it cannot be told: fewer than
            `ENOUGH` points, or a measure that orders no pair.
        low, high: of its 95 % interval; None with it.
        tied: share of the pairs that the first measure ties, 0 to 1; tied_full: the second.
    """

    n: int
    tau: float | None = None
    low: float | None = None
    high: float | None = None
    tied: float | None = None
    tied_full: float | None = None


def agreement(proxy: Floats, full: Floats, spent: int = 0) -> Agreement:
    """Tau-b of two measures.

    Args:
        proxy, full: (n,) finite values.
        spent: degrees of freedom that fits before have taken.
    """
    return agreement_of(count_pairs(proxy, full)[0], spent)


def agreement_of(counts: PairCounts, spent: int = 0) -> Agreement:
    """The same of pairs that have been counted."""
    points, tau = _points(counts), counts.tau
    if points < ENOUGH + spent or math.isnan(tau):
        return Agreement(points)
    low, high = _interval(counts, points, spent)
    tied, tied_full = counts.tied
    return Agreement(points, tau, low, high, tied, tied_full)


def _points(counts: PairCounts) -> int:
    """How many are in a pair; one that is alone in its family is not."""
    return int((counts.pairs > 0).sum())


def _interval(counts: PairCounts, points: int, spent: int) -> tuple[float, float]:
    tau, ordered = counts.tau, min(counts.ordered.sum(), counts.full_ordered.sum()) / 2
    if abs(tau) > 1 - 0.5 / ordered:
        # All pairs agree, and the jackknife sees no variance. Of so many none disagreed: three may.
        beyond = max(-1.0, 1 - 6 / ordered)
        return (beyond, 1.0) if tau > 0 else (-1.0, -beyond)
    error = deviation(counts.without_each) / (1 - tau**2)
    error *= math.sqrt((points - 1) / (points - 1 - spent))
    reach = t_quantile(points - 1 - spent) * error
    return math.tanh(math.atanh(tau) - reach), math.tanh(math.atanh(tau) + reach)


def deviation(without_each: Floats) -> float:
    """The standard error of a statistic by the jackknife, from its values without each point."""
    # Without a point that orders all there is, nothing is ordered.
    values = without_each[np.isfinite(without_each)]
    return float(math.sqrt((len(values) - 1) * np.var(values)))


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t."""
    from scipy.special import stdtrit  # takes a good part of a second to import

    return float(stdtrit(freedom, 0.975))


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one proxy agrees better with the full results than another.

    Attributes:
        difference: of their taus. low, high: of its 95 % interval, paired by architecture.
    """

    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """ "yes" where the first is better, "no" where it is worse, else "cannot tell"."""
        if self.low > 0:
            return "yes"
        return "no" if self.high < 0 else "cannot tell"


def difference(one: PairCounts, other: PairCounts) -> Difference | None:
    """Of one proxy over another, whose sign does not count: a falling order is an order as well.

    Both are of the same points in the same order.

    Returns:
        None where there are too few points, or one of both orders no pair.
    """
    if _points(one) < ENOUGH or math.isnan(one.tau) or math.isnan(other.tau):
        return None
    sign = 1.0 if other.tau >= 0 else -1.0
    reach = t_quantile(len(one) - 1) * deviation(one.without_each - sign * other.without_each)
    found = one.tau - abs(other.tau)
    return Difference(found, found - reach, found + reach)


def spearman(proxy: Floats, full: Floats) -> float | None:
    """Spearman's rank correlation, with mean ranks for ties; None where it cannot be told."""
    if len(full) < ENOUGH:
        return None
    one, other = (mean_ranks(each) for each in (proxy, full))
    if not one.std() or not other.std():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def mean_ranks(values: Floats) -> Floats:
    """Ranks from 1, those of equals being their mean; (n,)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], dtype=float)
