"""One Gaussian process for each metric that has to be learnt, and one for whether evaluations fail.

They are fitted now and then, and conditioned on everything that is known each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.extrapolation import final_estimates
from search.searchers.ranked_history import RankedPoint
from search.searchers.searcher import P, Task
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    Posterior,
    fit,
)
from search.trial_states import EVALUATED, TrialState

Floats = NDArray[np.float64]
Fitted = Mapping[str, Hyperparameters]
"""Hyperparameters by metric."""

SUCCESS = ""
"""The metric of an evaluation that did not fail: 1, else 0."""
_CLIP = 2.0  # quartile distances below the lower quartile
_MOST_FITTED = 160
_MOST_INDUCING = 256


@dataclass(frozen=True, slots=True)
class MetricData(Generic[P]):
    """One metric of all points of which something is known.

    Attributes:
        name: as the objectives have it, or SUCCESS.
        entries: the points, n of them.
        values: shape (n,), standardised.
        variances: shape (n,), doubt of values that were extrapolated, 0 for measured ones.
        center, scale: a metric is center + scale · value.
    """

    name: str
    entries: list[RankedPoint[P]]
    values: Floats
    variances: Floats
    center: float
    scale: float


def metric_data(task: Task[P], entries: Sequence[RankedPoint[P]]) -> list[MetricData[P]]:
    """The metrics that have to be learnt, with what is known of them; it may be nothing yet."""
    known = set(task.known(entries[0].point)) if entries else set()
    observations = [entry.observation for entry in entries]
    found = []
    for name in (name for name in task.objectives.names if name not in known):
        estimates = final_estimates(observations, name, task.fidelities)
        found.append(_standardised(task, name, entries, estimates.mean, estimates.variance))
    found.append(_standardised(task, SUCCESS, entries, *_successes(task, entries)))
    return found


def _successes(task: Task[P], entries: Sequence[RankedPoint[P]]) -> tuple[Floats, Floats]:
    """1 for what ended with values, 0 for what failed without breaking a stated constraint."""
    successes = np.full(len(entries), np.nan)
    for row, entry in enumerate(entries):
        seen = entry.observation
        if seen.state in EVALUATED:
            successes[row] = 1.0
        elif seen.state != TrialState.RUNNING and task.violation(entry.point, seen.values) <= 0:
            successes[row] = 0.0
    return successes, np.where(np.isnan(successes), np.nan, 0.0)


def _standardised(
    task: Task[P], name: str, entries: Sequence[RankedPoint[P]], means: Floats, variances: Floats
) -> MetricData[P]:
    there = np.flatnonzero(~np.isnan(means))
    values, doubts = means[there], variances[there]
    signs = [objective.sign for objective in task.objectives if objective.name == name]
    if signs and len(values):
        values = signs[0] * _without_disasters(signs[0] * values)
    center = float(values.mean()) if len(values) else 0.0
    scale = float(values.std()) if len(values) else 0.0
    scale = scale if scale > 1e-12 * max(1.0, abs(center)) else 1.0
    known = [entries[row] for row in there.tolist()]
    return MetricData(name, known, (values - center) / scale, doubts / scale**2, center, scale)


def _without_disasters(scores: Floats) -> Floats:
    """How bad the worst are tells nothing of the good ones, and would dwarf their differences."""
    low, high = np.quantile(scores, [0.25, 0.75])
    clipped: Floats = np.maximum(scores, low - _CLIP * max(high - low, 1e-12))
    return clipped


def fit_metrics(
    task: Task[P], candidates: Candidates[P], entries: Sequence[RankedPoint[P]]
) -> Fitted:
    """Hyperparameters of every metric of which enough is known."""
    found = {}
    for data in metric_data(task, entries):
        if len(data.entries) >= 4 and np.ptp(data.values) > 0:
            rows = _spread_out(data, _MOST_FITTED)
            points = candidates.encode(data.entries[row].point for row in rows)
            found[data.name] = fit(points, data.values[rows], data.variances[rows])
    return found


@dataclass(frozen=True)
class MetricPosterior:
    """What is believed of one metric at some points.

    Attributes:
        standardised: the posterior of the standardised metric.
        center, scale: as those of the data.
        noise: of an evaluation, of the standardised metric.
    """

    standardised: Posterior
    center: float
    scale: float
    noise: float

    @property
    def mean(self) -> Floats:
        """In the metric's own unit, shape (c,)."""
        return self.center + self.scale * self.standardised.mean

    @property
    def deviation(self) -> Floats:
        """Standard deviation in the metric's own unit, shape (c,)."""
        return self.scale * np.sqrt(self.standardised.variance)

    def condition_on_mean(self, place: int) -> None:
        """Reckon with an evaluation of one of the points."""
        self.standardised.condition_on_mean(place, self.noise)


class MetricModels(Generic[P]):
    """Gaussian processes of the metrics that some point has.

    Args:
        task: whose metrics.
        candidates: which encodes points.
        entries: everything that is known.
        fitted: hyperparameters; those of the prior where a metric has none yet.
    """

    def __init__(
        self,
        task: Task[P],
        candidates: Candidates[P],
        entries: Sequence[RankedPoint[P]],
        fitted: Fitted,
    ) -> None:
        self._candidates = candidates
        self._processes: dict[str, tuple[MetricData[P], GaussianProcess, float]] = {}
        assumed = candidates.prior_mode
        for data in metric_data(task, entries):
            same = data.name == SUCCESS and not data.values.any()
            if data.entries and not same:
                used = fitted.get(data.name, assumed)
                self._processes[data.name] = (data, self._process(data, used), used.noise)

    def _process(self, data: MetricData[P], given: Hyperparameters) -> GaussianProcess:
        points = self._candidates.encode(entry.point for entry in data.entries)
        inducing = _spread_out(data, _MOST_INDUCING)
        return GaussianProcess(points, data.values, data.variances, given, inducing)

    def posterior(self, points: Sequence[P]) -> dict[str, MetricPosterior]:
        """By name what is believed of the metrics of points."""
        encoded = self._candidates.encode(points)
        return {
            name: MetricPosterior(process.posterior(encoded), data.center, data.scale, noise)
            for name, (data, process, noise) in self._processes.items()
        }


def _spread_out(data: MetricData[P], most: int) -> NDArray[np.int64]:
    """Rows of at most that many points: a quarter the best and worst, the others from all times."""
    count = len(data.values)
    if count <= most:
        return np.arange(count)
    order = np.argsort(data.values, kind="stable")
    ends = np.concatenate([order[: most // 8], order[-(most // 8) :]])
    others = np.setdiff1d(np.arange(count), ends)
    steps = np.linspace(0, len(others) - 1, most - len(ends)).round().astype(np.int64)
    return np.sort(np.concatenate([ends, others[np.unique(steps)]]))
