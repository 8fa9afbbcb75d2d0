"""The next batch: which points are compared, with whom, and under which beliefs."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from search.searchers.base import P, Task
from search.searchers.history import Entry
from search.searchers.standing import Standing
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.model import Fitted, Model
from search.searchers.surrogate.planning import Planner
from search.trial_states import TrialState

Floats = NDArray[np.float64]

_PARENTS = 4
_SPARE = 24
_MOST_RUNNING = 256
_MOST_COMPARED = 512


def planned_batch(
    task: Task[P],
    candidates: Candidates[P],
    entries: Sequence[Entry[P]],
    given: Fitted,
    *,
    size: int,
    age: int,
) -> list[P]:
    """Points to evaluate next, `size` that were chosen jointly and some to spare.

    Args:
        task: what is searched and for what.
        candidates: where new points come from.
        entries: what is known.
        given: the hyperparameters of the model.
        size: how many points are chosen jointly.
        age: of the candidates.

    Returns:
        No point when no objective can be judged yet.
    """
    standing = Standing(task, entries)
    if not standing.entries:
        return []
    ranked = standing.order(_MOST_COMPARED)
    model = Model(task, candidates, entries, given)
    around = candidates.around(entry.point for entry in ranked[:_PARENTS])
    new = _new(task, entries, [*candidates.drawn(age), *around])
    running = [e.point for e in entries if e.observation.state == TrialState.RUNNING][
        -_MOST_RUNNING:
    ]
    points = [*running, *new]
    if not new:
        return []
    best = _believed(task, model, ranked)
    reference = standing.vectors.min(0)
    planner = Planner(task, points, model.at(points), len(running), best, reference)
    return planner.batch(size, _SPARE)


def _new(task: Task[P], entries: Sequence[Entry[P]], points: Iterable[P]) -> list[P]:
    known = {task.space.key(entry.point) for entry in entries}
    found: dict[Hashable, P] = {}
    for point in points:
        key = task.space.key(point)
        if key not in known and task.feasible(point):
            found.setdefault(key, point)
    return list(found.values())


def _believed(task: Task[P], model: Model[P], ranked: Sequence[Entry[P]]) -> Floats:
    """Objectives of the best feasible points as the model sees them, so that luck counts less.

    Complete ones only, as soon as there are any.
    """
    whole = [entry for entry in ranked if entry.observation.state == TrialState.COMPLETE]
    points = [entry.point for entry in whole or ranked]
    means = {name: learnt.mean for name, learnt in model.at(points).items()}
    figures = [
        {name: float(mean[row]) for name, mean in means.items()} for row in range(len(points))
    ]
    feasible = [
        task.vector(point, values)
        for point, values in zip(points, figures, strict=True)
        if task.violation(point, values) <= 0
    ]
    return np.array(feasible).reshape(len(feasible), len(task.goals.objectives))
