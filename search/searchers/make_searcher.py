"""A searcher by its name, wrapped so that it proposes no point twice."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Generic

import numpy as np

from search.registry import Registry
from search.searchers.random_search import feasible_sample
from search.searchers.searcher import Exhausted, Observation, P, Searcher, Task
from space.errors import InputError

_RANDOM_ATTEMPTS = 64

SEARCHERS: Registry[Searcher[Any]] = Registry(
    "searcher",
    Searcher,
    "mixspace.searchers",
    {
        "random": "search.searchers.random_search:RandomSearcher",
        "tpe": "search.searchers.optuna_samplers.tpe:TpeSearcher",
        "nsga2": "search.searchers.optuna_samplers.nsga2:Nsga2Searcher",
        "gp": "search.searchers.optuna_samplers.gp:GpSearcher",
        "evolution": "search.searchers.evolution:EvolutionSearcher",
        "local": "search.searchers.local_search:LocalSearcher",
        "surrogate": "search.searchers.surrogate.surrogate_searcher:SurrogateSearcher",
    },
)
"""The searchers that a configuration may name; some need Optuna, which is imported then."""


def make_searcher(
    name: str, task: Task[P], seed: int, options: Mapping[str, Any] | None = None
) -> Searcher[P]:
    """The searcher of that name, wrapped so that it proposes no point twice.

    Args:
        name: one of `SEARCHERS.names`.
        task: what is searched, and for what.
        seed: of all random choices.
        options: of the searcher, by name.

    Raises:
        InputError: an unknown name, an option that the searcher does not have, a value that
            cannot be, also for so many fidelities, or a searcher of one objective asked for
            several.
    """
    kind, chosen = SEARCHERS.chosen(name, options, task.fidelities)
    if len(task.objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in task.objectives)
        raise InputError.of("searcher.name", f"{name!r} takes one objective; got {wanted}")
    inner: Searcher[P] = kind(task, seed, **chosen)
    return DistinctSearcher(inner)


class DistinctSearcher(Searcher[P], Generic[P]):
    """Asks the inner searcher; where that repeats itself, falls back step by step.

    The order is: ask again, a new neighbour of what was proposed, a new random point, and at last
    any new neighbour of any known point. Only then is the space exhausted. Points whose known
    metrics break a constraint are passed over.
    """

    def __init__(self, inner: Searcher[P]) -> None:
        super().__init__(inner.task, inner.seed)
        self.inner = inner
        self.attempts = inner.attempts
        self._known: dict[Hashable, P] = {}

    def ask(self, attempt: int = 0) -> P:
        """A point that was never told, and that no constraint on known metrics forbids.

        Raises:
            Exhausted: every point that can be reached is known.
        """
        for point in self._candidates(attempt):
            if self.task.space.key(point) not in self._known and self.task.feasible(point):
                return point
        if not self._known:
            raise Exhausted("no point of the space was found that keeps the constraints")
        raise Exhausted(f"all {len(self._known)} points that can be reached are in the study")

    def tell(self, point: P, observation: Observation) -> None:
        """Remember the point, and pass the observation on."""
        self._known.setdefault(self.task.space.key(point), point)
        self.inner.tell(point, observation)

    def _candidates(self, first: int) -> Iterator[P]:
        rng = np.random.default_rng([self.seed, len(self._known), first, 1])
        proposed: dict[Hashable, P] = {}
        for attempt in range(first, first + self.attempts):
            try:
                point = self.inner.ask(attempt)
            except Exhausted:
                break
            yield point
            proposed.setdefault(self.task.space.key(point), point)
        for point in proposed.values():
            neighbours = list(self.task.space.neighbours(point))
            yield from (neighbours[i] for i in rng.permutation(len(neighbours)))
        for _ in range(_RANDOM_ATTEMPTS):
            try:
                yield feasible_sample(self.task, rng)
            except Exhausted:
                if self._known:
                    break  # whose neighbours are found sooner than another random point
        for point in list(self._known.values()):
            yield from self.task.space.neighbours(point)
