"""`objectives` and `constraints` of a configuration: what is wanted, and what must hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from search.metrics import ANALYTIC_METRICS, analytic_metrics
from search.numeric import as_number
from search.objective_parsing import (
    bare_bound_problems,
    given_twice,
    parse_objectives,
    with_current_metrics,
)
from search.objectives import Constraint, Objectives
from space import DesignSpace
from space.errors import InputError, Problem, refuse


def named_objectives(value: Any) -> dict[str, str]:
    """`objectives` as they were written, with names and directions as they are spelt here.

    Raises:
        InputError: what `parse_objectives` refuses, and a metric given by two of its names; the
            places are within the mapping.
    """
    return {each.name: each.direction for each in _alone("objectives", value, value, {})}


def named_constraints(value: Any) -> dict[str, Any]:
    """Likewise `constraints`; the bounds stay as they were written."""
    _alone("constraints", value, {"validation_accuracy": "maximise"}, value)
    return {name: _plain(bound) for name, bound in with_current_metrics(value).items()}


def _plain(bound: Any) -> Any:
    """As it was written; a number of a library's own, which no file and no store takes, a float."""
    if isinstance(bound, Mapping):
        return {side: _plain(each) for side, each in bound.items()}
    return bound if bound is None or isinstance(bound, str | int | float) else as_number(bound)


def _alone(section: str, value: Any, objectives: Any, constraints: Any) -> Objectives:
    try:
        parsed = parse_objectives(objectives, constraints)
        refuse(given_twice(value, section))
    except InputError as error:
        raise error.within(section) from None
    return parsed


def read_objectives(objectives: Mapping[str, str], constraints: Mapping[str, Any]) -> Objectives:
    """The objectives of a new study, as parse_objectives reads them.

    Raises:
        InputError: what parse_objectives refuses, a bound without a side on what should be high,
            and bounds that no accuracy could break or keep.
    """
    parsed = parse_objectives(objectives, constraints)
    bare = bare_bound_problems(objectives, constraints)
    refuse(bare or [p for bound in parsed.constraints for p in _no_shares(bound)])
    return parsed


def _no_shares(bound: Constraint) -> list[Problem]:
    if bound.name != "validation_accuracy":
        return []
    sides = {"at_least": bound.lower, "at_most": bound.upper}
    return [
        Problem(
            f"constraints.{bound.name}.{side}", f"must be 0 to 1 (1 is all right); got {value:g}"
        )
        for side, value in sides.items()
        if value is not None and not 0 <= value <= 1
    ]


def limited(space: DesignSpace, objectives: Objectives) -> DesignSpace:
    """The space with upper bounds on costs as hard limits: only what keeps them is ever drawn.

    Raises:
        InputError: no architecture of the space keeps them.
    """
    upper = {
        bound.name: int(bound.upper)
        for bound in objectives.constraints
        if bound.name in ANALYTIC_METRICS and bound.upper is not None
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


def refuse_unmet_lower_bounds(space: DesignSpace, objectives: Objectives) -> None:
    """Refuse lower bounds on costs that nothing in the space seems to reach.

    Upper bounds narrow the space exactly; for lower ones there is only trying.

    Raises:
        InputError: a bound above the space's own limit, or one that no drawn architecture kept.
    """
    lower = [
        b for b in objectives.constraints if b.name in ANALYTIC_METRICS and b.lower is not None
    ]
    limits = space.to_dict().get("limits", {})
    problems = [
        Problem(f"constraints.{b.name}", f"at_least ({b.lower:g}) is above the limit {limit:,}")
        for b in lower
        if (limit := limits.get(b.name)) is not None and (b.lower or 0) > limit
    ]
    refuse(problems)
    if not lower:
        return
    rng, known = np.random.default_rng(0), analytic_metrics(bound.name for bound in lower)
    if not any(objectives.violation(known(space.sample(rng))) <= 0 for _ in range(DRAWS)):
        said = ", ".join(f"{bound.name} {bound}" for bound in lower)
        message = f"none of {DRAWS:,} random architectures of the space keeps them: {said}"
        raise InputError.of("constraints", message)
