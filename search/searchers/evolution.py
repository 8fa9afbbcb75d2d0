"""Regularised evolution whose mutations are moves between neighbours of the space."""

from collections import deque
from typing import Any, Generic, Self

import numpy as np
from pydantic import Field, StrictFloat, StrictInt, model_validator

from search.options import Options as BaseOptions
from search.searchers.random_search import feasible_neighbours, feasible_sample
from search.searchers.ranked_history import History, RankedPoint, Ranking
from search.searchers.searcher import Observation, P, Searcher, Task
from search.trial_states import EVALUATED, TrialState
from space.errors import InputError


class EvolutionSearcher(Searcher[P], Generic[P]):
    """Regularised evolution: a child of the best of a random tournament of the last to end.

    Old points leave the population however good they are, so that a lucky value does not rule.
    Several objectives are compared by front and crowding, constraints come first (Deb's rule),
    stopped points count with the values expected of them at the end. Source: Real et al.,
    "Regularized Evolution for Image Classifier Architecture Search" (2019).
    """

    class Options(BaseOptions):
        """Options of the evolution.

        Attributes:
            population: that many points, the last ended, may be parents.
            tournament: how many of them are drawn to find a parent.
            startup: that many points are random before.
            two_moves: the share of children that are two moves away.
        """

        population: StrictInt = Field(default=32, ge=1, le=100_000)
        tournament: StrictInt = Field(default=8, ge=1, le=100_000)
        startup: StrictInt = Field(default=12, ge=1, le=10_000_000)
        two_moves: StrictFloat = Field(default=0.2, ge=0, le=1)

        @model_validator(mode="after")
        def _tournament_within_population(self) -> Self:
            if self.tournament > self.population:
                message = f"must not exceed population ({self.population}); got {self.tournament}"
                raise InputError.of("tournament", message)
            return self

    options: Options

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._history: History[P] = History(task)
        self._living: deque[P] = deque(maxlen=self.options.population)
        self._neighbours = feasible_neighbours(task)
        self._order: list[RankedPoint[P]] | None = None

    def ask(self, attempt: int = 0) -> P:
        """A child, or a random point while the population is young."""
        rng = np.random.default_rng([self.seed, len(self._history), self._history.ended, attempt])
        order = self._ranked()
        if len(self._history) < self.options.startup or not order:
            return feasible_sample(self.task, rng)
        size = min(self.options.tournament, len(order))
        point = order[int(rng.choice(len(order), size, replace=False).min())].point
        for _ in range(1 + (rng.random() < self.options.two_moves)):
            moves = self._neighbours(point)
            if not moves:
                return feasible_sample(self.task, rng)
            point = moves[int(rng.integers(len(moves)))]
        return point

    def tell(self, point: P, observation: Observation) -> None:
        """A point enters the population when it ends with values, and leaves it by age."""
        before = self._history.get(point)
        self._history.tell(point, observation)
        had_ended = before is not None and before.observation.state in EVALUATED
        if not had_ended and observation.state in EVALUATED:
            self._living.append(point)
        if had_ended or observation.state != TrialState.RUNNING:
            self._order = None

    def _ranked(self) -> list[RankedPoint[P]]:
        """The population, the best first."""
        if self._order is None:
            entries = [self._history.get(point) for point in self._living]
            self._order = Ranking(self.task, [e for e in entries if e]).best_first()
        return self._order
