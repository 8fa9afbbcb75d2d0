"""A scheduler by its name."""

from collections.abc import Mapping
from typing import Any

from search.objectives import Goals
from search.registry import Registry
from search.schedulers.base import Scheduler
from space.errors import InputError, Problem

SCHEDULERS: Registry[Scheduler] = Registry(
    "scheduler",
    Scheduler,
    "mixspace.schedulers",
    {
        "none": "search.schedulers.base:NoScheduler",
        "median": "search.schedulers.median:MedianStopping",
        "asha": "search.schedulers.asha:Asha",
        "hyperband": "search.schedulers.hyperband:Hyperband",
        "moasha": "search.schedulers.asha:Moasha",
    },
)
"""The schedulers that a configuration may name."""


def make_scheduler(
    name: str | None, goals: Goals, fidelities: int, options: Mapping[str, Any] | None = None
) -> Scheduler:
    """The scheduler of that name.

    Args:
        name: one of `SCHEDULERS.names`; None is "none".
        goals: by which results are compared.
        fidelities: epochs of a whole training.
        options: of the scheduler, by name.

    Raises:
        InputError: an unknown name, an unknown option, a value that cannot be, or several
            objectives where the scheduler takes one.
    """
    name = "none" if name is None else name
    kind, chosen = SCHEDULERS.chosen(name, options)
    if len(goals.objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in goals.objectives)
        raise InputError([Problem("scheduler.name", f"{name!r} takes one objective; got {wanted}")])
    return kind(goals, fidelities, **chosen)
