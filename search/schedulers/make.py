"""A scheduler by its name."""

from collections.abc import Mapping
from typing import Any

from search.named_choice import class_named, options_of
from search.objectives import Goals
from search.schedulers.base import Scheduler
from space.errors import InputError

_PLACES = {
    "none": "search.schedulers.base:NoScheduler",
    "median": "search.schedulers.median:MedianStopping",
    "asha": "search.schedulers.asha:Asha",
    "hyperband": "search.schedulers.hyperband:Hyperband",
    "moasha": "search.schedulers.asha:Moasha",
}

SCHEDULERS = tuple(_PLACES)
"""The names that a configuration may use."""


def make_scheduler(
    name: str | None, goals: Goals, fidelities: int, options: Mapping[str, Any] | None = None
) -> Scheduler:
    """The scheduler of that name.

    Args:
        name: one of SCHEDULERS; None is "none".
        goals: by which results are compared.
        fidelities: epochs of a whole training.
        options: keyword arguments of the scheduler.

    Raises:
        InputError: an unknown name, an unknown option, a value that cannot be, or several
            objectives where the scheduler takes one.
    """
    name = "none" if name is None else name
    kind = scheduler_class(name)
    chosen = options_of("scheduler", name, kind, options)
    if len(goals.objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in goals.objectives)
        message = f"{name!r} takes one objective; got {wanted}"
        raise InputError.of("scheduler.name", message)
    try:
        scheduler: Scheduler = kind(goals, fidelities, **chosen)
    except (TypeError, ValueError) as error:
        raise InputError.of("scheduler", str(error)) from None
    return scheduler


def scheduler_class(name: str) -> type[Scheduler]:
    """The class of a scheduler's name.

    Raises:
        InputError: there is none of that name.
    """
    return class_named("scheduler", name, _PLACES)
