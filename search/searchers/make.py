"""A searcher by its name."""

from collections.abc import Mapping
from typing import Any

from search.named_choice import class_named, options_of
from search.searchers.base import P, Searcher, Task
from search.searchers.distinct import DistinctSearcher
from space.errors import InputError

_PLACES = {
    "random": "search.searchers.random_search:RandomSearcher",
    "tpe": "search.searchers.optuna_samplers:TpeSearcher",
    "nsga2": "search.searchers.optuna_samplers:Nsga2Searcher",
    "gp": "search.searchers.optuna_samplers:GpSearcher",
    "evolution": "search.searchers.evolution:EvolutionSearcher",
    "local": "search.searchers.local_search:LocalSearcher",
    "surrogate": "search.searchers.surrogate:SurrogateSearcher",
}
"""Where the class of each name is; it is imported when asked for, since some need Optuna."""

SEARCHERS = tuple(_PLACES)
"""The names that a configuration may use."""


def make_searcher(
    name: str, task: Task[P], seed: int, options: Mapping[str, Any] | None = None
) -> Searcher[P]:
    """The searcher of that name, wrapped so that it proposes no point twice.

    Args:
        name: one of SEARCHERS.
        task: what is searched, and for what.
        seed: of all random choices.
        options: keyword arguments of the searcher.

    Raises:
        InputError: an unknown name, an option that the searcher does not have, a value that
            cannot be, or a searcher of one objective asked for several.
    """
    kind = searcher_class(name)
    chosen = options_of("searcher", name, kind, options)
    if len(task.goals.objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in task.goals.objectives)
        message = f"{name!r} takes one objective; got {wanted}"
        raise InputError.of("searcher.name", message)
    try:
        inner: Searcher[P] = kind(task, seed, **chosen)
    except (TypeError, ValueError) as error:
        raise InputError.of("searcher", str(error)) from None
    return DistinctSearcher(inner)


def searcher_class(name: str) -> type[Searcher[Any]]:
    """The class of a searcher's name.

    Raises:
        InputError: there is none of that name.
    """
    return class_named("searcher", name, _PLACES)
