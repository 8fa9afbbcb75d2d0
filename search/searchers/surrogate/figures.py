"""What is learnt of the points: figures, and whether an evaluation ends well at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.base import P, Task
from search.searchers.extrapolation import final_estimates
from search.searchers.history import Entry
from search.trial_states import EVALUATED, TrialState

Floats = NDArray[np.float64]

ENDS_WELL = ""
"""The figure of an evaluation that did not fail: 1, else 0."""
_CLIP = 2.0  # quartile distances below the lower quartile


@dataclass(frozen=True, slots=True)
class Figure(Generic[P]):
    """One figure of all points of which something is known.

    Attributes:
        name: as the goals have it, or ENDS_WELL.
        entries: the points, n of them.
        values: shape (n,), standardised.
        variances: shape (n,), doubt of values that were extrapolated, 0 for measured ones.
        center, scale: a figure is center + scale · value.
    """

    name: str
    entries: list[Entry[P]]
    values: Floats
    variances: Floats
    center: float
    scale: float


def figures_of(task: Task[P], entries: Sequence[Entry[P]]) -> list[Figure[P]]:
    """The figures that have to be learnt, of those that have at least two different points."""
    known = set(task.known(entries[0].point)) if entries else set()
    observations = [entry.observation for entry in entries]
    found = []
    for name in (name for name in task.goals.names if name not in known):
        estimates = final_estimates(observations, name, task.fidelities)
        found.append(_figure(task, name, entries, estimates.mean, estimates.variance))
    found.append(_figure(task, ENDS_WELL, entries, *_ends(task, entries)))
    return found


def _ends(task: Task[P], entries: Sequence[Entry[P]]) -> tuple[Floats, Floats]:
    """1 for what ended with values, 0 for what failed without breaking a stated constraint."""
    ends = np.full(len(entries), np.nan)
    for row, entry in enumerate(entries):
        seen = entry.observation
        if seen.state in EVALUATED:
            ends[row] = 1.0
        elif seen.state != TrialState.RUNNING and task.violation(entry.point, seen.values) <= 0:
            ends[row] = 0.0
    return ends, np.where(np.isnan(ends), np.nan, 0.0)


def _figure(
    task: Task[P], name: str, entries: Sequence[Entry[P]], means: Floats, variances: Floats
) -> Figure[P]:
    there = np.flatnonzero(~np.isnan(means))
    values, doubts = means[there], variances[there]
    signs = [
        1 if o.direction == "maximise" else -1 for o in task.goals.objectives if o.name == name
    ]
    if signs and len(values):
        values = signs[0] * _without_disasters(signs[0] * values)
    center = float(values.mean()) if len(values) else 0.0
    scale = float(values.std()) if len(values) else 0.0
    scale = scale if scale > 1e-12 * max(1.0, abs(center)) else 1.0
    known = [entries[row] for row in there.tolist()]
    return Figure(name, known, (values - center) / scale, doubts / scale**2, center, scale)


def _without_disasters(scores: Floats) -> Floats:
    """How bad the worst are tells nothing of the good ones, and would dwarf their differences."""
    low, high = np.quantile(scores, [0.25, 0.75])
    clipped: Floats = np.maximum(scores, low - _CLIP * max(high - low, 1e-12))
    return clipped
