"""How the space is explored: searchers, schedulers, the runner, the store and queries."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import search.own_packages  # noqa: F401 - first, so that no module of others is taken for ours

if TYPE_CHECKING:
    from search.local_executor import Evaluation, Result, optimize

__all__ = ["Evaluation", "Result", "optimize"]


def __getattr__(name: str) -> Any:
    """Imported when it is used: the command line has to hear signals before that."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("search.local_executor"), name)
