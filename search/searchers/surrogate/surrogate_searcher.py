"""A searcher that learns the objectives, and proposes what promises the largest improvement."""

from collections.abc import Sequence
from typing import Any, Generic

import numpy as np
from pydantic import Field, StrictInt

from search.options import Options as BaseOptions
from search.searchers.ranked_history import History, RankedPoint
from search.searchers.searcher import Exhausted, Observation, P, Searcher, Task
from search.searchers.surrogate.batch_planning import planned_batch
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.metric_models import Fitted, fit_metrics
from search.trial_states import EVALUATED

_BATCH_SHARE = 32
_REFIT_GROWTH = 1.2


class SurrogateSearcher(Searcher[P], Generic[P]):
    """Expected hypervolume improvement under Gaussian processes, on the encoding of the points.

    - Every objective and constrained metric that is not known without evaluation has a process of
      its own, and so has the question whether an evaluation ends well; metrics that are known are
      used as they are. With one objective the improvement is the classic expected improvement.
    - Stopped and running points count with what their curves let expect, and the doubt of that.
    - Points are chosen jointly: as if those that run, and those chosen before, were known.
    - With n points a batch is n/32 points, planned from what was known when the batch before was
      used up, so that thousands of results cost milliseconds; up to 64 points every proposal sees
      everything. Kernels are fitted again whenever there are a fifth more points.
    """

    class Options(BaseOptions):
        """Options of the surrogate.

        Attributes:
            startup: that many points are random, each far from those before.
        """

        startup: StrictInt = Field(default=8, ge=2, le=10_000_000)

    options: Options

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._history: History[P] = History(task)
        self._candidates = Candidates(task, seed)
        self._snapshot: Sequence[RankedPoint[P]] = []
        self._batch = 0
        self._entries_of_fit: Sequence[RankedPoint[P]] = []
        self._fitted: Fitted | None = None
        self._planned: list[P] | None = None

    def ask(self, attempt: int = 0) -> P:
        """The next of the batch; with attempts the ones after it.

        Raises:
            Exhausted: no candidate is left.
        """
        if len(self._history) < self.options.startup:
            return self._far_away(attempt)
        new = [point for point in self._plan() if point not in self._history]
        if attempt < len(new):
            return new[attempt]
        if not any(self._is_evaluated(entry) for entry in self._history):
            return self._far_away(attempt)
        raise Exhausted("the model has no other candidate")

    def tell(self, point: P, observation: Observation) -> None:
        """Take note; a new batch begins when the last one is used up."""
        self._history.tell(point, observation)
        count = len(self._history)
        if count >= max(self.options.startup, _REFIT_GROWTH * len(self._entries_of_fit)):
            self._entries_of_fit, self._fitted = list(self._history), None
        before = len(self._snapshot)
        size = self._batch_size(before)
        if size == 1 or count >= before + size:
            self._batch += count > before
            self._snapshot, self._planned = list(self._history), None

    def _is_evaluated(self, entry: RankedPoint[P]) -> bool:
        seen = entry.observation
        return seen.state in EVALUATED and self.task.evaluated(entry.point, seen.values)

    @staticmethod
    def _batch_size(count: int) -> int:
        return max(1, count // _BATCH_SHARE)

    def _plan(self) -> list[P]:
        if self._fitted is None:
            self._fitted = fit_metrics(self.task, self._candidates, self._entries_of_fit)
        if self._planned is None:
            self._planned = planned_batch(
                self.task,
                self._candidates,
                self._snapshot,
                self._fitted,
                size=self._batch_size(len(self._snapshot)),
                age=self._batch,
            )
        return self._planned

    def _far_away(self, attempt: int) -> P:
        """Of some random points the one that is farthest from all that are known.

        Of new neighbours of those that are known where random points break constraints.
        """
        drawn = list(self._candidates.drawn(0)) or self._new_neighbours()
        if not drawn:
            raise Exhausted("no random point keeps the constraints, nor any new neighbour")
        count = len(self._history)
        rng = np.random.default_rng([self.seed, count, attempt])
        picked: list[int] = rng.choice(len(drawn), min(len(drawn), 8), replace=False).tolist()
        some = [drawn[place] for place in picked]
        if not count:
            return some[0]
        known = self._candidates.encode(entry.point for entry in self._history)
        offs = self._candidates.encode(some)[:, None] - known
        farthest = int((offs**2).sum(2).min(1).argmax())
        return some[farthest]

    def _new_neighbours(self) -> list[P]:
        around = self._candidates.around(entry.point for entry in self._history)
        return [point for point in around if point not in self._history]
