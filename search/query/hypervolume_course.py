"""The course of a study of several objectives: how much of what is possible its front covers.

The hypervolume is the volume that a front dominates above a reference point. Here every objective
runs from the worst to the best of the study's complete results, costs by their logarithm as the
figures draw them, and the reference lies a tenth of that range below the worst. So the share says
what part of the box up to a network that were best in everything is covered, and a study that goes
on can change what it was called before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.metrics import ANALYTIC_METRICS, DEVICE_METRICS
from search.objective_parsing import stored_objectives
from search.objectives import Objectives, Values, hypervolume
from search.query.baseline import BASELINE, ENOUGH
from search.query.evaluated import evaluated_trials
from search.store.store import Store

_BEYOND = 0.1
"""Of an objective's range: so far below the worst the reference lies."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HypervolumePoint:
    """An evaluation that has moved the front.

    Attributes:
        evaluation: how many evaluations there were with it, pruned ones among them.
        number, architecture_id: of the trial.
        share: of the box that is covered from then on, 0 to 1.
    """

    evaluation: int
    number: int
    architecture_id: str
    share: float


@dataclass(frozen=True, slots=True)
class HypervolumeCourse:
    """How the front of a study has grown.

    Attributes:
        objectives: of the study, at least two.
        worst, best: of each objective, among its complete results.
        searched: what has moved the front of all but the random points beside the searcher.
        evaluations: how many evaluations that were.
        random: the same of the random points alone; () where there are none.
        random_evaluations: how many these were.
    """

    objectives: Objectives
    worst: Values
    best: Values
    searched: tuple[HypervolumePoint, ...]
    evaluations: int
    random: tuple[HypervolumePoint, ...]
    random_evaluations: int

    @property
    def tells(self) -> bool:
        """Whether the shares say something: there are enough evaluations, and results differ."""
        spread = all(self.worst[each.name] != self.best[each.name] for each in self.objectives)
        return spread and self.evaluations >= ENOUGH

    @property
    def sentence(self) -> str | None:
        """What is covered now, and since when, in words; None where that says nothing yet."""
        if not self.tells:
            return None
        last = self.searched[-1]
        later = self.evaluations - last.evaluation
        since = "the last one" if not later else f"none of the {later:,} since has moved the front"
        return (
            f"The front covers {last.share:.1%} of the box from a tenth of the range below the "
            "worst to the best results of this study, since evaluation "
            f"{last.evaluation:,} of {self.evaluations:,}: {since}."
        )


def hypervolume_course(store: Store, study: str) -> HypervolumeCourse | None:
    """The course of a study's front; None of one objective, or before the first complete result.

    Args:
        store: where the study is.
        study: its name.

    Raises:
        InputError: an unknown study.
    """
    objectives = stored_objectives(store.studies.get(study).objective)
    if len(objectives) < 2:
        return None
    trials = evaluated_trials(store, study, objectives)
    known = [values for _, values in trials if values is not None]
    if not any(values is not None and trial.origin != BASELINE for trial, values in trials):
        return None
    scale = _Scale(objectives, known)
    apart: dict[bool, list[tuple[int, str, Floats | None]]] = {False: [], True: []}
    for trial, values in trials:
        vector = None if values is None else scale.placed([values])[0]
        apart[trial.origin == BASELINE].append((trial.number, trial.architecture_id, vector))
    worst, best = scale.ends(known)
    return HypervolumeCourse(
        objectives,
        worst,
        best,
        tuple(_growth(apart[False])),
        len(apart[False]),
        tuple(_growth(apart[True])),
        len(apart[True]),
    )


class _Scale:
    """Places results between the worst (0) and the best (1) of each objective."""

    def __init__(self, objectives: Objectives, known: Sequence[Values]) -> None:
        costs = {*ANALYTIC_METRICS, *DEVICE_METRICS}
        self._objectives = objectives
        self._logarithmic = {
            each.name
            for each in objectives
            if each.name in costs and all(values[each.name] > 0 for values in known)
        }
        rows = self._vectors(known)
        self._least, self._most = rows.min(0), rows.max(0)

    def _vectors(self, known: Iterable[Values]) -> Floats:
        """Higher is better; of a cost minus its logarithm."""
        rows = np.array(
            [[values[each.name] for each in self._objectives] for values in known], float
        )
        for column, each in enumerate(self._objectives):
            if each.name in self._logarithmic:
                rows[:, column] = np.log(rows[:, column])
            rows[:, column] *= each.sign
        return rows

    def placed(self, known: Iterable[Values]) -> Floats:
        """Shape (n, m); an objective in which all are equal is 1 for all."""
        spread = self._most - self._least
        rows = self._vectors(known)
        return np.where(spread > 0, (rows - self._least) / np.where(spread > 0, spread, 1), 1.0)

    def ends(self, known: Sequence[Values]) -> tuple[Values, Values]:
        """The worst and the best of each objective, as they were measured."""
        found: list[dict[str, float]] = [{}, {}]
        for each in self._objectives:
            column = sorted((values[each.name] for values in known), key=lambda v: each.sign * v)
            found[0][each.name], found[1][each.name] = column[0], column[-1]
        return found[0], found[1]


def _growth(
    evaluations: Sequence[tuple[int, str, Floats | None]],
) -> Iterable[HypervolumePoint]:
    """Each evaluation that moves the front of those before it."""
    front: Floats | None = None
    covered = 0.0
    for place, (number, architecture_id, vector) in enumerate(evaluations, 1):
        if vector is None:
            continue
        if front is None:
            front = np.empty((0, len(vector)))
        if (front >= vector).all(1).any():
            continue
        # What it adds alone: its own volume less what the front has of that.
        reference = np.full(len(vector), -_BEYOND)
        covered += float(np.prod(vector + _BEYOND))
        covered -= hypervolume(np.minimum(front, vector), reference)
        front = np.vstack([front[~(front <= vector).all(1)], vector])
        share = covered / (1 + _BEYOND) ** len(vector)
        yield HypervolumePoint(place, number, architecture_id, share)
