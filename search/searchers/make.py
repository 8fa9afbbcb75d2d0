"""A searcher by its name."""

from collections.abc import Mapping
from typing import Any

from search.registry import Registry
from search.searchers.base import P, Searcher, Task
from search.searchers.distinct import DistinctSearcher
from space.errors import InputError, Problem

SEARCHERS: Registry[Searcher[Any]] = Registry(
    "searcher",
    Searcher,
    "mixspace.searchers",
    {
        "random": "search.searchers.random_search:RandomSearcher",
        "tpe": "search.searchers.optuna_samplers:TpeSearcher",
        "nsga2": "search.searchers.optuna_samplers:Nsga2Searcher",
        "gp": "search.searchers.optuna_samplers:GpSearcher",
        "evolution": "search.searchers.evolution:EvolutionSearcher",
        "local": "search.searchers.local_search:LocalSearcher",
        "surrogate": "search.searchers.surrogate:SurrogateSearcher",
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
            cannot be, or a searcher of one objective asked for several.
    """
    kind, chosen = SEARCHERS.chosen(name, options)
    if len(task.goals.objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in task.goals.objectives)
        raise InputError([Problem("searcher.name", f"{name!r} takes one objective; got {wanted}")])
    inner: Searcher[P] = kind(task, seed, **chosen)
    return DistinctSearcher(inner)
