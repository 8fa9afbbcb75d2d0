"""The ceiling that seeds set: how well anything can tell the order of full results.

Full results have luck in them: the same architecture trained with another seed ends elsewhere. Two
such trainings agree to some tau, and a proxy can hardly do better for *another* training. One that
knew the mean of each architecture would agree better than that with a single training, as only one
of both then has luck: with reliability r = sin(π/2 · tau of two trainings), the correlation of two
trainings under a normal law, to 2/π · arcsin √r.

What is read from the very training that it is held to, such as its earlier epochs, shares its luck
and may be above the ceiling.
"""

import math
from dataclasses import dataclass

import numpy as np

from search.fidelity.agreement import ENOUGH, Agreement, agreement
from search.fidelity.pairs import Floats, drawn

_DRAWS = 50


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What seeds allow.

    Attributes:
        n: architectures that were trained with two seeds or more.
        two_seeds: agreement of two trainings of each; without a tau where they are too few.
        top_decile: the same of those that are in the best tenth by the first of them.
        perfect: tau of a proxy that knew the mean of each; None where nothing is known of seeds.
        low, high: of its 95 % interval; None where it is not from pairs.
        how: "pairs" of trainings; "deviation": from the standard deviation over seeds, drawn
            around the results that there are; "" where nothing is known.
    """

    n: int
    two_seeds: Agreement
    top_decile: Agreement
    perfect: float | None = None
    low: float | None = None
    high: float | None = None
    how: str = ""


def ceiling(full: Floats, again: Floats, deviation: float | None = None) -> Ceiling:
    """The ceiling.

    Args:
        full: (n,) results.
        again: (n,) results of the same with other seeds, NaN where there are none.
        deviation: of a result over seeds, pooled, for where pairs are too few.
    """
    repeated = np.isfinite(again)
    pairs = agreement(full[repeated], again[repeated])
    best = _best_tenth(full, again, repeated)
    number = int(repeated.sum())
    if pairs.tau is not None and pairs.low is not None and pairs.high is not None:
        perfect, low, high = map(of_a_perfect_proxy, (pairs.tau, pairs.low, pairs.high))
        return Ceiling(number, pairs, best, perfect, low, high, "pairs")
    if deviation is None or len(full) < ENOUGH:
        return Ceiling(number, pairs, best)
    return Ceiling(number, pairs, best, drawn_around(full, deviation), how="deviation")


def _best_tenth(full: Floats, again: Floats, repeated: np.ndarray) -> Agreement:
    one, other = full[repeated], again[repeated]
    best = in_top_decile(one)
    return agreement(one[best], other[best])


def in_top_decile(values: Floats) -> np.ndarray:
    """Which are among the best tenth, with all that equal the last of it; (n,) bool."""
    if not len(values):
        return np.zeros(0, bool)
    return np.asarray(values >= np.sort(values)[-math.ceil(len(values) / 10)])


def of_a_perfect_proxy(two_seeds: float) -> float:
    """Tau of a proxy that knew every mean, from that of two trainings, under a normal law."""
    reliability = max(0.0, math.sin(math.pi / 2 * two_seeds))
    return 2 / math.pi * math.asin(math.sqrt(reliability))


def drawn_around(full: Floats, deviation: float) -> float | None:
    """The mean tau of results with the luck of a seed drawn around them.

    The results have luck in them already, so they are drawn together until their variance is that
    of the means.
    """
    points = drawn(len(full))
    values, variance = full[points], float(full.var())
    if not variance:
        return None
    shrink = math.sqrt(max(0.0, 1 - deviation**2 / variance))
    means = values.mean() + shrink * (values - values.mean())
    rng = np.random.default_rng(0)
    taus = [
        agreement(means, means + rng.normal(0, deviation, len(means))).tau
        for _ in range(_DRAWS if len(means) <= 1000 else 5)
    ]
    told = [tau for tau in taus if tau is not None]
    return float(np.mean(told)) if told else None
