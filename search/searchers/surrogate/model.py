"""The model of all learnt figures: fitted now and then, conditioned on everything each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from search.searchers.base import P, Task
from search.searchers.history import Entry
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.figures import ENDS_WELL, Figure, figures_of
from search.searchers.surrogate.fitting import Hyperparameters, fit
from search.searchers.surrogate.gaussian_process import Belief, GaussianProcess

Floats = NDArray[np.float64]
Fitted = Mapping[str, Hyperparameters]

_MOST_FITTED = 160
_MOST_INDUCING = 256


def fitted(task: Task[P], candidates: Candidates[P], entries: Sequence[Entry[P]]) -> Fitted:
    """Hyperparameters of every figure of which enough is known."""
    found = {}
    for figure in figures_of(task, entries):
        if len(figure.entries) >= 4 and np.ptp(figure.values) > 0:
            rows = _spread_out(figure, _MOST_FITTED)
            points = candidates.encode(figure.entries[row].point for row in rows)
            found[figure.name] = fit(points, figure.values[rows], figure.variances[rows])
    return found


@dataclass(frozen=True)
class Learnt:
    """What is believed of one figure at some points."""

    belief: Belief
    center: float
    scale: float
    noise: float

    @property
    def mean(self) -> Floats:
        """In the figure's own unit, shape (c,)."""
        return self.center + self.scale * self.belief.mean

    @property
    def deviation(self) -> Floats:
        """Standard deviation in the figure's own unit, shape (c,)."""
        return self.scale * np.sqrt(self.belief.variance)

    def expect(self, place: int) -> None:
        """Reckon with an evaluation of one of the points."""
        self.belief.expect(place, self.noise)


class Model(Generic[P]):
    """Gaussian processes of the figures that some point has.

    Args:
        task: whose figures.
        candidates: which encodes points.
        entries: everything that is known.
        given: hyperparameters, the usual ones where a figure has none yet.
    """

    def __init__(
        self,
        task: Task[P],
        candidates: Candidates[P],
        entries: Sequence[Entry[P]],
        given: Fitted,
    ) -> None:
        self._candidates = candidates
        self._processes: dict[str, tuple[Figure[P], GaussianProcess, float]] = {}
        assumed = candidates.usual
        for figure in figures_of(task, entries):
            same = figure.name == ENDS_WELL and not figure.values.any()
            if figure.entries and not same:
                used = given.get(figure.name, assumed)
                self._processes[figure.name] = (figure, self._process(figure, used), used.noise)

    def _process(self, figure: Figure[P], given: Hyperparameters) -> GaussianProcess:
        points = self._candidates.encode(entry.point for entry in figure.entries)
        inducing = _spread_out(figure, _MOST_INDUCING)
        return GaussianProcess(points, figure.values, figure.variances, given, inducing)

    def at(self, points: Sequence[P]) -> dict[str, Learnt]:
        """By name what is believed of the figures of points."""
        encoded = self._candidates.encode(points)
        return {
            name: Learnt(process.at(encoded), figure.center, figure.scale, noise)
            for name, (figure, process, noise) in self._processes.items()
        }


def _spread_out(figure: Figure[P], most: int) -> NDArray[np.int64]:
    """Rows of at most that many points: a quarter the best and worst, the others from all times."""
    count = len(figure.values)
    if count <= most:
        return np.arange(count)
    order = np.argsort(figure.values, kind="stable")
    ends = np.concatenate([order[: most // 8], order[-(most // 8) :]])
    others = np.setdiff1d(np.arange(count), ends)
    steps = np.linspace(0, len(others) - 1, most - len(ends)).round().astype(np.int64)
    return np.sort(np.concatenate([ends, others[np.unique(steps)]]))
