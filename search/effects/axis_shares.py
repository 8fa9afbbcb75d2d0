"""How much of what sets accuracies apart each axis explains, with intervals, in any design.

The model is additive: `accuracy ~ axis + axis + …`, each axis with a value of its own for each of
its values. The share of an axis is the part of the variance of accuracies that the model explains
with it and not without it: what comes with the axis, as separable channels come with attention,
is not counted as its own. An axis of no use has a share of zero on average, however many values it
has (epsilon squared; Kelley, 1935).

- The test permutes the residuals of the model without the axis (Freedman and Lane, 1983).
- The interval is by the bootstrap over networks (Efron), moved by its bias: drawing with
  replacement makes any model look better than it is.
- Pairs of axes are tested over the additive model: what they explain only together.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from search.effects.additive_model import AdditiveModel, Pair
from search.effects.axis_values import WITHIN, Value
from search.effects.estimates import Floats, holm

MOST = 4_000
"""Networks beyond which a random sample is looked at: intervals are narrow enough by then."""

_FEWEST = 20
_OF_A_VALUE = 3
"""Networks that have a value at least; rarer ones are one value together."""
_MOST_VALUES = 8
_MOST_PAIRS = 3
_FAMILIES = 2
"""Axes and pairs of them are tested apart, and both corrections hold at once."""
_LEVEL = 0.05
_LITTLE = 0.05
"""A share below which nobody would begin with this axis."""


@dataclass(frozen=True, slots=True)
class AxisShare:
    """The share of the variance of accuracies that an axis explains.

    Attributes:
        axis: its name; of two axes together both, joined by " × ".
        values: how many are told apart.
        share: beyond what all other axes explain, 0 to 1; NaN where it cannot be told.
        low, high: its interval of 95 %; NaN likewise.
        alone: what it explains by itself, with all that comes with it.
        p: of a share of zero, corrected for all axes and pairs of axes; NaN likewise.
        verdict: in words.
    """

    axis: str
    values: int
    share: float
    low: float
    high: float
    alone: float
    p: float
    verdict: str


@dataclass(frozen=True, slots=True)
class AxisShares:
    """The importance of all axes.

    Attributes:
        axes: the largest share first, those that cannot be told last.
        together: pairs of axes that explain something only in combination.
        pairs: how many were tested.
        explained: what all axes explain together, each by itself, 0 to 1; NaN where unknown.
        networks: how many were looked at. total: of how many.
        needed: how many networks a share of each axis needs.
    """

    axes: tuple[AxisShare, ...]
    together: tuple[AxisShare, ...]
    pairs: int
    explained: float
    networks: int
    total: int
    needed: int


def drawn(total: int) -> list[int]:
    """The places of the networks that are looked at, of so many: all, or MOST drawn by chance."""
    if total <= MOST:
        return [*range(total)]
    return sorted(np.random.default_rng(0).choice(total, MOST, replace=False).tolist())


def axis_shares(
    axes: Mapping[str, Sequence[Value]], accuracies: Sequence[float], total: int | None = None
) -> AxisShares:
    """The share of each axis, and of what pairs of them explain only together.

    Args:
        axes: by name, the value of each network.
        accuracies: of the same networks in their order, by one protocol.
        total: of how many networks these were drawn already; None where they are all.
    """
    rows = drawn(len(accuracies))
    columns = {axis: _columns([values[row] for row in rows]) for axis, values in axes.items()}
    varied = {axis: each for axis, each in columns.items() if each.shape[1] > 1}
    model = AdditiveModel(varied, np.asarray(accuracies, float)[rows], WITHIN)
    needed = max(_FEWEST, 2 * model.rank)
    reason = _why_not(model, needed)
    pairs, tested = ([], 0) if reason else _pairs(model, columns)
    own = {} if reason else _axes(model, columns, [each.axis for each in pairs])
    told = [
        own.get(axis) or _untold(model, axis, columns[axis].shape[1], axes[axis], reason)
        for axis in axes
    ]
    return AxisShares(
        tuple(sorted(told, key=lambda each: (math.isnan(each.share), -_zero(each.share)))),
        tuple(pairs),
        tested,
        math.nan if reason else _within(model.explained()),
        len(rows),
        len(accuracies) if total is None else total,
        needed,
    )


def _zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _columns(values: Sequence[Value]) -> Floats:
    """(networks, values), the share of each; the most common first, rare ones are one together."""
    common = Counter(word for value in values for word in value).most_common()
    kept = [word for word, number in common if number >= _OF_A_VALUE]
    if len(kept) > _MOST_VALUES:
        kept = kept[: _MOST_VALUES - 1]
    place = {word: index for index, word in enumerate(kept)}
    found = np.zeros((len(values), len(kept) + 1))
    for row, value in enumerate(values):
        for word, share in value.items():
            found[row, place.get(word, len(kept))] += share
    if np.count_nonzero(found[:, -1]) >= _OF_A_VALUE or not kept:
        return found
    found[:, -2] += found[:, -1]
    return found[:, :-1]


def _why_not(model: AdditiveModel, needed: int) -> str:
    """Why nothing can be told; empty where it can."""
    count = len(model.y)
    if count < needed:
        return f"cannot tell: {count:,} networks of the {needed:,} that it takes"
    return "cannot tell: all accuracies are equal" if np.ptp(model.y) == 0 else ""


def _pairs(model: AdditiveModel, columns: Mapping[str, Floats]) -> tuple[list[AxisShare], int]:
    """The pairs that explain something only together, and how many were tested.

    One after the other, the largest first: axes that come with another seem to have its part in a
    pair as well, until that pair is in the model.
    """
    found: dict[Pair, AxisShare] = {}
    left, tested = list(combinations(model.axes, 2)), 0
    while left and len(found) < _MOST_PAIRS:
        p = model.p_of_pairs(left, found)
        tested = tested or len(p)
        corrected = {pair: min(1.0, _FAMILIES * each) for pair, each in p.items()}
        left = [pair for pair in corrected if corrected[pair] < _LEVEL]
        if not left:
            break
        best = max(left, key=lambda pair: model.explained_together(pair, found))
        share, low, high = _interval(model.share_of_pair(best)[:, 0], 1.0)
        values = math.prod(columns[axis].shape[1] for axis in best)
        whole = _within(model.explained(*best))
        name, p_of_it = _TIMES.join(best), corrected[best]
        found[best] = AxisShare(name, values, share, low, high, whole, p_of_it, "matter together")
        left.remove(best)
    return [*found.values()], tested


_TIMES = " × "


def _axes(
    model: AdditiveModel, columns: Mapping[str, Floats], pairs: Sequence[str]
) -> dict[str, AxisShare]:
    """Those that are of their own."""
    own = [axis for axis in model.axes if model.is_of_its_own(axis)]
    if not own:
        return {}
    p = [model.p_of_axis(axis) for axis in own]
    shares = model.shares(own)
    partners: dict[str, list[str]] = defaultdict(list)
    for one, other in (pair.split(_TIMES) for pair in pairs):
        partners[one].append(other)
        partners[other].append(one)
    found = {}
    every = [min(1.0, _FAMILIES * each) for each in holm(p)]
    for place, (axis, corrected) in enumerate(zip(own, every, strict=True)):
        share, low, high = _interval(shares[:, place], _within(model.explained()))
        said = _verdict(p[place], corrected, high, partners[axis])
        alone = _within(model.explained(axis))
        found[axis] = AxisShare(
            axis, columns[axis].shape[1], share, low, high, alone, corrected, said
        )
    return found


def _interval(found: Floats, most: float) -> tuple[float, float, float]:
    """The share and its interval, of a share and those in resamples.

    No axis explains more than all together, which is `most`; few networks may seem to show it.
    """
    share, resampled = float(found[0]), found[1:]
    low, high = np.quantile(resampled, (_LEVEL / 2, 1 - _LEVEL / 2)) + share - resampled.mean()
    share = min(_within(share), most)
    return share, min(_within(float(low)), share), max(_within(float(high)), share)


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _verdict(p: float, corrected: float, high: float, partners: Sequence[str]) -> str:
    beside = f"with {' and '.join(partners)}" if partners else ""
    if corrected < _LEVEL and partners:
        return f"matters, and more {beside}"
    if corrected < _LEVEL:
        return f"matters little: {_at_most(high)}" if high <= _LITTLE else "matters"
    if partners:
        return f"matters {beside}"
    if p < _LEVEL:
        return "cannot tell, among so many"
    if high <= _LITTLE:
        return f"explains {_at_most(high)}"
    return "cannot tell"


def _at_most(high: float) -> str:
    return f"no more than {100 * high:.1f} %"


def _untold(
    model: AdditiveModel, axis: str, count: int, values: Sequence[Value], reason: str
) -> AxisShare:
    alone = math.nan
    if axis in model.axes:
        if len(model.y) > 1 and np.ptp(model.y) > 0:
            alone = _within(model.explained(axis))
        if not reason:
            reason = f"cannot tell from {' and '.join(model.aliases(axis)) or 'the others'}"
    elif any(value != values[0] for value in values):
        reason = f"cannot tell: fewer than {_OF_A_VALUE} networks of any other value"
    else:
        reason = "the same throughout"
    return AxisShare(axis, count, math.nan, math.nan, math.nan, alone, math.nan, reason)
