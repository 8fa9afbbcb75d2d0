"""What choosing by a proxy costs: how many of the best it finds, how far below the best it ends.

Of m candidates the k best by the proxy are trained in full, and the best of these is taken. The
figures are means over random sets of m of the n architectures that there are, so they speak of such
sets and not of the luck of one. Where a measure ties candidates, their order is drawn by lot.

Every figure is a mean over sets (a U-statistic), and its 95 % interval follows from the mean over
those sets that lack an architecture, one architecture after the other (delete-one jackknife), less
the noise of drawing sets: on the scale of the logarithm for regrets, of the logit for recalls. The
sets overlap, so the intervals are made rather too wide than too narrow.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.fidelity.agreement import ENOUGH, deviation, t_quantile
from search.fidelity.pairs import Floats, drawn

PICKS = (1, 5, 10)
"""How many are trained in full, as far as the sets are large enough."""

Range = tuple[float, float]

_CANDIDATES = 100
_SETS = 4_000, 20_000
"""Fewest and most that are drawn for the means."""


@dataclass(frozen=True, slots=True)
class TopPick:
    """The k best by a proxy out of sets of candidates.

    Attributes:
        k: how many are chosen. of: out of how many candidates.
        recall: share of the k best in full that are among them, 0 to 1.
        regret: the best full result of the set less the best of the chosen, in units of results.
        recall_low, recall_high, regret_low, regret_high: of their 95 % intervals.
    """

    k: int
    of: int
    recall: float
    recall_low: float
    recall_high: float
    regret: float
    regret_low: float
    regret_high: float


def top_picks(proxy: Floats, full: Floats, sets: int | None = None) -> tuple[TopPick, ...]:
    """A row for every k of `PICKS` of which a set has twice as many.

    Sets are of a quarter of the architectures, at most 100. There are no rows below 20 points.

    Args:
        proxy, full: (n,) finite values, higher is better.
        sets: how many are drawn, at least; None is enough for their noise not to matter.
    """
    points = drawn(len(full))
    size = min(_CANDIDATES, len(points) // 4)
    if len(points) < 2 * ENOUGH:
        return ()
    number = min(max(16 * len(points), _SETS[0]), _SETS[1]) if sets is None else sets
    made = _Sets(proxy[points], full[points], size, number)
    return tuple(_pick(made, k) for k in PICKS if 2 * k <= size)


def _pick(sets: "_Sets", k: int) -> TopPick:
    recall, regrets = sets.mean(sets.recall(k)), sets.regret(k)
    regret, independent = sets.mean(regrets), sets.points // sets.size
    # What none of the sets without a common member is expected to show may happen in three of them.
    often = (regrets > 0).mean() * independent >= 1
    rare = None if often else sets.gap * min(1.0, 3 / independent)
    return TopPick(
        k,
        sets.size,
        recall[0],
        *_share_interval(*recall, independent, 2 * independent),
        regret[0],
        *_positive_interval(*regret, rare, 2 * independent),
    )


class _Sets:
    """Random sets of architectures, each in the order of the proxy and of the full results.

    Args:
        proxy, full: (n,) values.
        size: of a set. sets: how many at least.
    """

    def __init__(self, proxy: Floats, full: Floats, size: int, sets: int) -> None:
        self.points, self.size = len(full), size
        rng = np.random.default_rng(0)
        self._members = _partitions(self.points, size, sets, rng)
        self._full = full[self._members]
        # Whole numbers apart, and what is drawn by lot is below one.
        lots = rng.random((2, *self._members.shape))
        ranks = [np.unique(each, return_inverse=True)[1] for each in (proxy, full)]
        keys = [rank[self._members] + lot for rank, lot in zip(ranks, lots, strict=True)]
        self._by_proxy, self._by_full = (np.argsort(-key, axis=1) for key in keys)

    def regret(self, k: int) -> Floats:
        """Of every set, (sets,)."""
        chosen = np.take_along_axis(self._full, self._by_proxy[:, :k], axis=1)
        return np.asarray(self._full.max(1) - chosen.max(1))

    def recall(self, k: int) -> Floats:
        """Of every set, (sets,)."""
        both = self._by_proxy[:, :k, None] == self._by_full[:, None, :k]
        return np.asarray(both.any(2).mean(1))

    @property
    def gap(self) -> float:
        """The best full result of a set less the second, in the mean."""
        best = np.take_along_axis(self._full, self._by_full[:, :2], axis=1)
        return float((best[:, 0] - best[:, 1]).mean())

    def mean(self, values: Floats) -> tuple[float, float]:
        """The mean of a value of every set, and its standard error over architectures."""
        sets, each = len(values), np.repeat(values, self.size)
        total = values.sum()
        within = np.bincount(self._members.ravel(), each, self.points)
        number = np.bincount(self._members.ravel(), minlength=self.points)
        without = (total - within) / (sets - number)
        noise = np.sum(values.var() * (1 / (sets - number) - 1 / sets))
        variance = deviation(without) ** 2
        return float(total / sets), math.sqrt(max(variance - noise, variance / 10))


def _partitions(points: int, size: int, sets: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Members of random sets, (sets, size): the points in random order, cut into sets, many times.

    Every point is then in nearly as many sets as any other.
    """
    each = points // size
    orders = rng.permuted(np.tile(np.arange(points), (math.ceil(sets / each), 1)), axis=1)
    return orders[:, : each * size].reshape(-1, size)


def _positive_interval(mean: float, error: float, rare: float | None, freedom: int) -> Range:
    """Of a mean of what is never below 0.

    Args:
        mean: and its standard error.
        rare: how high it may be for all that can be told of what hardly ever happens; None of what
            happens often.
        freedom: of Student's t.
    """
    if mean == 0:
        return 0.0, rare or 0.0
    reach = t_quantile(freedom) * error / mean
    low, high = mean * math.exp(-reach), mean * math.exp(min(reach, 50.0))
    return (low, high) if rare is None else (0.0, max(high, rare))


def _share_interval(share: float, error: float, independent: int, freedom: int) -> Range:
    """Of a mean of shares."""
    if not 0 < share < 1:
        beyond = min(1.0, 3 / independent)
        return (1 - beyond, 1.0) if share else (0.0, beyond)
    reach = min(t_quantile(freedom) * error / (share * (1 - share)), 50.0)
    middle = math.log(share / (1 - share))
    return 1 / (1 + math.exp(reach - middle)), 1 / (1 + math.exp(-reach - middle))
