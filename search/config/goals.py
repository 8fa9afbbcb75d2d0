"""`objectives` and `constraints` of a configuration: what is wanted, and what must hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from search.figures import ANALYTIC, FIGURES, known_figures
from search.objectives import Goals, goals_of
from space import DesignSpace
from space.design import Limits
from space.errors import InputError, Problem

_ALIASES = {"flops": "macs"}


def read_goals(objectives: Mapping[str, str], constraints: Mapping[str, Any]) -> Goals:
    """The goals of a study.

    Args:
        objectives: "maximise" or "minimise" by figure.
        constraints: bounds by figure. Those of costs may be written as people write them, such
            as 30M or "512 MiB".

    Raises:
        InputError: a figure that nothing here evaluates, a bound or direction that cannot be.
    """
    problems = [
        *_without_evaluator(objectives, "objectives"),
        *_without_evaluator(constraints, "constraints"),
    ]
    if problems:
        raise InputError(problems)
    named = {_ALIASES.get(name, name): direction for name, direction in objectives.items()}
    bounds = {_ALIASES.get(name, name): _bound(name, value) for name, value in constraints.items()}
    return goals_of(named, bounds)


def limited(space: DesignSpace, goals: Goals) -> DesignSpace:
    """The space with upper bounds on costs as hard limits: only what keeps them is ever drawn.

    Raises:
        InputError: no architecture of the space keeps them.
    """
    upper = {
        bound.name: int(bound.upper)
        for bound in goals.constraints
        if bound.name in ANALYTIC and bound.upper is not None
    }
    if not upper:
        return space
    values = space.to_dict()
    limits = dict(values.get("limits", {}))
    tighter = {name: min(value, limits.get(name, value)) for name, value in upper.items()}
    try:
        return DesignSpace.from_dict(values | {"limits": limits | tighter})
    except InputError as error:
        raise InputError(Problem("constraints", p.message) for p in error.problems) from None


DRAWS = 1000
"""Random architectures that are looked at before lower bounds are refused."""


def refuse_unmet_lower_bounds(space: DesignSpace, goals: Goals) -> None:
    """Refuse lower bounds on costs that nothing in the space seems to reach.

    Upper bounds narrow the space exactly; for lower ones there is only trying.

    Raises:
        InputError: a bound above the space's own limit, or one that no drawn architecture kept.
    """
    lower = [b for b in goals.constraints if b.name in ANALYTIC and b.lower is not None]
    limits = space.to_dict().get("limits", {})
    problems = [
        Problem(f"constraints.{b.name}", f"at_least ({b.lower:g}) is above the limit {limit:,}")
        for b in lower
        if (limit := limits.get(b.name)) is not None and (b.lower or 0) > limit
    ]
    if problems:
        raise InputError(problems)
    if not lower:
        return
    rng, known = np.random.default_rng(0), known_figures(bound.name for bound in lower)
    if not any(goals.violation(known(space.sample(rng))) <= 0 for _ in range(DRAWS)):
        said = ", ".join(f"{bound.name} {bound}" for bound in lower)
        message = f"none of {DRAWS:,} random architectures of the space keeps them: {said}"
        raise InputError.of("constraints", message)


def _without_evaluator(named: Mapping[str, Any], where: str) -> list[Problem]:
    problems = []
    for name in named:
        if _ALIASES.get(name, name) in FIGURES:
            continue
        reason = "nothing here evaluates it"
        if name == "latency":
            reason = "nothing here measures it yet: it needs runs on a device"
        problems.append(Problem(f"{where}.{name}", f"{reason}; allowed: {', '.join(FIGURES)}"))
    return problems


def _bound(name: str, value: Any) -> Any:
    """A bound with its numbers read; measured figures have plain ones."""
    if isinstance(value, Mapping):
        return {side: _number(name, number, f".{side}") for side, number in value.items()}
    return _number(name, value, "")


def _number(name: str, value: Any, side: str) -> Any:
    if _ALIASES.get(name, name) not in ANALYTIC:
        return value
    try:
        limits = Limits.from_dict({name: value}, "").to_dict()
    except InputError as error:
        where = f"constraints.{name}{side}"
        raise InputError(Problem(where, p.message) for p in error.problems) from None
    return next(iter(limits.values()))
