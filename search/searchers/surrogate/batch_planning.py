"""The next batch: points that together promise the largest improvement."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from search.searchers.ranked_history import RankedPoint, Ranking
from search.searchers.searcher import P, Task
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.hypervolume_improvement import FrontPartitioning
from search.searchers.surrogate.metric_models import SUCCESS, Fitted, MetricModels, MetricPosterior
from search.trial_states import TrialState

Floats = NDArray[np.float64]

_PARENTS = 4
_SPARE = 24
_MOST_RUNNING = 256
_MOST_COMPARED = 512


def planned_batch(
    task: Task[P],
    candidates: Candidates[P],
    entries: Sequence[RankedPoint[P]],
    fitted: Fitted,
    *,
    size: int,
    age: int,
) -> list[P]:
    """Points to evaluate next, `size` that were chosen jointly and some to spare.

    Args:
        task: what is searched and for what.
        candidates: where new points come from.
        entries: what is known.
        fitted: the hyperparameters of the models.
        size: how many points are chosen jointly.
        age: of the candidates.

    Returns:
        No point when no objective can be judged yet.
    """
    ranking = Ranking(task, entries)
    if not ranking.entries:
        return []
    ranked = ranking.best_first(_MOST_COMPARED)
    models = MetricModels(task, candidates, entries, fitted)
    around = candidates.around(entry.point for entry in ranked[:_PARENTS])
    new = _new(task, entries, [*candidates.drawn(age), *around])
    if not new:
        return []
    running = [e.point for e in entries if e.observation.state == TrialState.RUNNING]
    running = running[-_MOST_RUNNING:]
    points = [*running, *new]
    front = FrontPartitioning(_believed(task, models, ranked), ranking.vectors.min(0))
    planner = BatchPlanner(task, points, models.posterior(points), len(running), front)
    return planner.batch(size, _SPARE)


def _new(task: Task[P], entries: Sequence[RankedPoint[P]], points: Iterable[P]) -> list[P]:
    known = {task.space.key(entry.point) for entry in entries}
    found: dict[Hashable, P] = {}
    for point in points:
        key = task.space.key(point)
        if key not in known and task.feasible(point):
            found.setdefault(key, point)
    return list(found.values())


def _believed(task: Task[P], models: MetricModels[P], ranked: Sequence[RankedPoint[P]]) -> Floats:
    """Objectives of the best feasible points as the models see them, so that luck counts less.

    Complete ones only, as soon as there are any.
    """
    whole = [entry for entry in ranked if entry.observation.state == TrialState.COMPLETE]
    points = [entry.point for entry in whole or ranked]
    means = {name: posterior.mean for name, posterior in models.posterior(points).items()}
    believed = [
        {name: float(mean[row]) for name, mean in means.items()} for row in range(len(points))
    ]
    feasible = [
        task.vector(point, values)
        for point, values in zip(points, believed, strict=True)
        if task.violation(point, values) <= 0
    ]
    return np.array(feasible).reshape(len(feasible), len(task.objectives))


class BatchPlanner(Generic[P]):
    """Ranks candidates by expected hypervolume improvement times the chance to be feasible.

    Args:
        task: with the objectives.
        points: the candidates.
        posterior: what is believed of their metrics.
        running: how many of the points, the first ones, are being evaluated already.
        front: of the objectives of feasible points so far.
    """

    def __init__(
        self,
        task: Task[P],
        points: Sequence[P],
        posterior: Mapping[str, MetricPosterior],
        running: int,
        front: FrontPartitioning,
    ) -> None:
        self._task, self._points, self._posterior = task, points, posterior
        self._front = front
        known = [task.known(point) for point in points]
        self._known = {
            name: np.array([values[name] for values in known])
            for name in task.objectives.names
            if known and name in known[0]
        }
        self._open = np.ones(len(points), bool)
        for place in range(running):
            self._take(place)

    def batch(self, size: int, spare: int) -> list[P]:
        """`size` points, each chosen as if those before were known, and then `spare` others."""
        chosen: list[int] = []
        for _ in range(min(size, int(self._open.sum()))):
            best = int(self._ranked()[0])
            chosen.append(best)
            self._take(best)
        others = [int(place) for place in self._ranked()[:spare]]
        return [self._points[place] for place in chosen + others]

    def _take(self, place: int) -> None:
        self._open[place] = False
        for metric in self._posterior.values():
            metric.condition_on_mean(place)
        means, _ = self._objectives()
        self._front = self._front.with_vector(means[place])

    def _ranked(self) -> NDArray[np.int64]:
        """The open candidates, the best first."""
        means, deviations = self._objectives()
        chance = self._feasible()
        promise = self._front.expected_improvement(means, deviations) * chance
        hope = (means + 2 * deviations).sum(1) * chance  # where the promise is 0 in floats
        order = np.lexsort((-hope, -promise))
        return order[self._open[order]]

    def _objectives(self) -> tuple[Floats, Floats]:
        """Means and deviations with the sign that makes higher better, shape (c, m) each."""
        means, deviations = [], []
        for objective in self._task.objectives:
            mean, deviation = self._metric(objective.name)
            means.append(objective.sign * mean)
            deviations.append(deviation)
        return np.array(means).T, np.array(deviations).T

    def _metric(self, name: str) -> tuple[Floats, Floats]:
        if name in self._known:
            return self._known[name], np.zeros(len(self._points))
        return self._posterior[name].mean, self._posterior[name].deviation

    def _feasible(self) -> Floats:
        """The chance to end well and to keep the constraints on learnt metrics."""
        chance = np.ones(len(self._points))
        if SUCCESS in self._posterior:
            success = self._posterior[SUCCESS]
            chance = ndtr((success.mean - 0.5) / np.maximum(success.deviation, 1e-9))
        for constraint in self._task.objectives.constraints:
            if constraint.name in self._posterior:
                metric = self._posterior[constraint.name]
                mean, deviation = metric.mean, np.maximum(metric.deviation, 1e-12 * metric.scale)
                if constraint.upper is not None:
                    chance = chance * ndtr((constraint.upper - mean) / deviation)
                if constraint.lower is not None:
                    chance = chance * ndtr((mean - constraint.lower) / deviation)
        return chance
