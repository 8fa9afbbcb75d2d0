"""What points would reach at the highest fidelity, learnt from the curves of those that got there.

A stopped or running point has values at low fidelities only. They are not comparable with final
ones, yet they tell something: later values are regressed on earlier ones, over the points that
have both, and the residuals say how sure that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.searchers.searcher import Observation
from search.trial_states import TrialState

Floats = NDArray[np.float64]

_ENOUGH = 6
"""With that many pairs a fidelity is regressed on directly, with fewer in smaller steps."""
_PRIOR_SLOPE = 0.7
"""Differences shrink as training goes on; counts as much as one point does."""
_PRIOR_RESIDUAL = 0.3
"""Of the spread at the lower fidelity; counts as much as two points do."""

_ABSURD = 1e100
"""From there on squares overflow; such a value is as good as none."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Final metrics of points.

    Attributes:
        mean: shape (n,), NaN where nothing is known.
        variance: shape (n,), 0 for points that are complete, NaN where nothing is known.
    """

    mean: Floats
    variance: Floats


def final_estimates(observations: Sequence[Observation], name: str, fidelities: int) -> Estimates:
    """The metric of that name at the highest fidelity, for every observation, in order.

    A complete one that ended before the highest fidelity did so by itself: its metric is final,
    but no other point learns from it how metrics grow.
    """
    values = _by_fidelity(observations, name, fidelities)
    reached = np.array([np.flatnonzero(row)[-1] if row.any() else -1 for row in ~np.isnan(values)])
    reached = reached.astype(np.int64)
    mean, variance = np.full(len(values), np.nan), np.full(len(values), np.nan)
    final = fidelities - 1
    steps: dict[int, _Step] = {}
    for level in sorted(set(reached.tolist()) - {-1}, reverse=True):
        rows = np.flatnonzero(reached == level)
        if level != final:
            steps[level] = _step_from(values, level, [*steps, final])
        mean[rows], variance[rows] = _follow(steps, level, final, values[rows, level])
    for row, observation in enumerate(observations):
        value = observation.values.get(name, np.nan)
        if observation.state == TrialState.COMPLETE and abs(value) < _ABSURD:
            mean[row], variance[row] = value, 0.0
    return Estimates(mean, variance)


def _by_fidelity(observations: Sequence[Observation], name: str, fidelities: int) -> Floats:
    """Shape (n, fidelities), NaN where there is no value; whole points end in theirs."""
    table = np.full((len(observations), fidelities), np.nan)
    for row, observation in zip(table, observations, strict=True):
        for fidelity, values in observation.curve.items():
            if 1 <= fidelity < fidelities and name in values:
                row[fidelity - 1] = values[name]
        if observation.state == TrialState.COMPLETE and observation.fidelity in (0, fidelities):
            row[-1] = observation.values.get(name, np.nan)
        elif fidelities in observation.curve:
            row[-1] = observation.curve[fidelities].get(name, np.nan)
        elif not observation.curve and observation.state == TrialState.PRUNED:
            row[0] = observation.values.get(name, np.nan)
    table[~(np.abs(table) < _ABSURD)] = np.nan
    return table


@dataclass(frozen=True, slots=True)
class _Step:
    """A straight line from one fidelity to a later one, with what is not known of it."""

    target: int
    center: float
    level: float
    slope: float
    residual: float  # variance
    weight: float  # of the points behind it
    breadth: float  # sum of squares of what it was learnt from

    def predict(self, values: Floats) -> tuple[Floats, Floats]:
        off = values - self.center
        doubt = 1 + 1 / (1 + self.weight) + off**2 / self.breadth
        return self.level + self.slope * off, self.residual * doubt


def _follow(
    steps: dict[int, _Step], level: int, final: int, values: Floats
) -> tuple[Floats, Floats]:
    mean, variance = values, np.zeros(len(values))
    while level != final:
        step = steps[level]
        mean, added = step.predict(mean)
        variance = step.slope**2 * variance + added
        level = step.target
    return mean, variance


def _step_from(values: Floats, level: int, targets: Sequence[int]) -> _Step:
    """To the farthest of the fidelities that enough points reached, else to the most reached."""
    pairs = {t: int((~np.isnan(values[:, [level, t]])).all(1).sum()) for t in set(targets)}
    enough = [target for target in pairs if pairs[target] >= _ENOUGH]
    target = max(enough) if enough else max(pairs, key=lambda t: (pairs[t], -t))
    return _regression(values[:, level], values[:, target], target)


def _regression(earlier: Floats, later: Floats, target: int) -> _Step:
    """A robust straight line with a prior, so that it exists for no pair at all."""
    known = earlier[~np.isnan(earlier)]
    spread = max(float(known.std()), 1e-6 * float(np.abs(known).max()), 1e-12)
    both = ~np.isnan(earlier) & ~np.isnan(later)
    x, y = earlier[both], later[both]
    if not len(x):
        center = float(known.mean())
        return _Step(target, center, center, _PRIOR_SLOPE, spread**2, 0.0, spread**2)
    weights = np.ones(len(x))
    for _ in range(4):  # Student's t by reweighting: a curve that broke down counts little
        total = float(weights.sum())
        center, level = float(weights @ x) / total, float(weights @ y) / total
        breadth = float(weights @ (x - center) ** 2) + spread**2
        shared = float(weights @ ((x - center) * (y - level)))
        slope = (shared + _PRIOR_SLOPE * spread**2) / breadth
        off = y - level - slope * (x - center)
        prior = (_PRIOR_RESIDUAL * spread) ** 2
        residual = (2 * prior + float(weights @ off**2)) / (2 + total)
        weights = 5 / (4 + off**2 / residual)
    return _Step(target, center, level, slope, residual, total, breadth)
