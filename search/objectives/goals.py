"""Objectives and constraints of a search, over figures that go by name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from search.numeric import as_number
from space.errors import InputError, Problem

Values = Mapping[str, float]
"""Figures by name, such as {"validation_accuracy": 0.91, "macs": 3.1e6}."""

Direction = Literal["maximise", "minimise"]
DIRECTIONS: tuple[Direction, ...] = ("maximise", "minimise")


@dataclass(frozen=True, slots=True)
class Objective:
    """One figure that shall be as high, or as low, as possible."""

    name: str
    direction: Direction = "maximise"

    def read(self, values: Values) -> float:
        """The figure with the sign that makes higher better.

        Raises:
            KeyError: the values do not have it.
        """
        return values[self.name] if self.direction == "maximise" else -values[self.name]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One figure that must lie within bounds, both inclusive; None is unbounded."""

    name: str
    upper: float | None = None
    lower: float | None = None

    def __str__(self) -> str:
        return f"allowed {self.bounds}"

    @property
    def bounds(self) -> str:
        """The bounds in words, such as "at least 0.9"."""
        upper = "" if self.upper is None else f"at most {self.upper:,.10g}"
        lower = "" if self.lower is None else f"at least {self.lower:,.10g}"
        return " and ".join(part for part in (lower, upper) if part)

    def violation(self, value: float) -> float:
        """By how much a value is off, as a share of the bound; 0 within the bounds.

        What is not a number keeps no bound: it is infinitely far off.
        """
        if math.isnan(value):
            return math.inf
        above = 0.0 if self.upper is None else (value - self.upper) / (abs(self.upper) or 1.0)
        below = 0.0 if self.lower is None else (self.lower - value) / (abs(self.lower) or 1.0)
        return max(above, below, 0.0)


@dataclass(frozen=True, slots=True)
class Goals:
    """What a search is for.

    Attributes:
        objectives: at least one; no name twice.
        constraints: hard; a point that breaks one is infeasible however good it is.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every figure that a result must have."""
        objectives = [objective.name for objective in self.objectives]
        constraints = [constraint.name for constraint in self.constraints]
        return tuple(dict.fromkeys(objectives + constraints))

    def vector(self, values: Values) -> tuple[float, ...]:
        """The objectives in order, each with the sign that makes higher better."""
        return tuple(objective.read(values) for objective in self.objectives)

    def has(self, values: Values) -> bool:
        """Whether every objective is there and finite."""
        return not self.missing(values)

    def missing(self, values: Values) -> list[str]:
        """The objectives that are not there or not finite, by name."""
        names = (each.name for each in self.objectives)
        return [name for name in names if not math.isfinite(values.get(name, math.nan))]

    def keeps(self, values: Values) -> bool:
        """Whether every constraint is kept; a figure that is not there keeps none."""
        return all(
            constraint.violation(values.get(constraint.name, math.nan)) <= 0
            for constraint in self.constraints
        )

    def violation(self, values: Values) -> float:
        """The sum of relative violations, over the constraints whose figures are there."""
        return sum(
            constraint.violation(values[constraint.name])
            for constraint in self.constraints
            if constraint.name in values
        )


ACCURACY = Goals((Objective("validation_accuracy"),))
"""The goal of a study that names none."""


def goals_of(
    objectives: Mapping[str, str], constraints: Mapping[str, object] | None = None
) -> Goals:
    """Goals from plain values.

    Args:
        objectives: "maximise" or "minimise" by name.
        constraints: by name an upper bound, or a mapping with "at_most", "at_least" or both.

    Raises:
        InputError: every direction, bound or name that cannot be, and bounds that contradict.
    """
    _refuse_lists(objectives=objectives, constraints=constraints or {})
    problems: list[InputError] = []
    for name, direction in objectives.items():
        if direction not in DIRECTIONS:
            message = f"must be one of {', '.join(DIRECTIONS)}; got {direction!r}"
            problems.append(InputError.of(f"objectives.{name}", message))
    if not objectives:
        problems.append(InputError.of("objectives", "must name at least one"))
    found: list[Constraint] = []
    for name, bound in (constraints or {}).items():
        try:
            found.append(_constraint(name, bound))
        except InputError as error:
            problems.append(error)
    if problems:
        raise InputError([problem for error in problems for problem in error.problems])
    wanted = [
        Objective(name, "minimise" if direction == "minimise" else "maximise")
        for name, direction in objectives.items()
    ]
    return Goals(tuple(wanted), tuple(found))


def _refuse_lists(**given: object) -> None:
    """A list of names says neither the direction nor the bound."""
    wanted = {"objectives": '"maximise" or "minimise"', "constraints": "bound"}
    problems = [
        Problem(name, f"must be a mapping from name to {wanted[name]}; got {value!r}")
        for name, value in given.items()
        if not isinstance(value, Mapping)
    ]
    problems += [
        Problem(where, f"a name must be a text; got {name!r}")
        for where, value in given.items()
        if isinstance(value, Mapping)
        for name in value
        if not isinstance(name, str)
    ]
    if problems:
        raise InputError(problems)


_BOUNDS = ("at_most", "at_least")


def _constraint(name: str, bound: object) -> Constraint:
    where = f"constraints.{name}"
    bounds = dict(bound) if isinstance(bound, Mapping) else {"at_most": bound}
    unknown = [str(key) for key in bounds if key not in _BOUNDS]
    if unknown or not bounds:
        raise InputError.of(where, f"allowed are {', '.join(_BOUNDS)}; got {bound!r}")
    sides = {key: f"{where}.{key}" if isinstance(bound, Mapping) else where for key in bounds}
    numbers = {key: _number(value, sides[key]) for key, value in bounds.items()}
    upper, lower = numbers.get("at_most"), numbers.get("at_least")
    if upper is not None and lower is not None and lower > upper:
        raise InputError.of(where, f"at_least ({lower:,.10g}) is above at_most ({upper:,.10g})")
    return Constraint(name, upper, lower)


def _number(value: object, where: str) -> float:
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise InputError.of(where, f"must be a finite number; got {value!r}")
    return number
