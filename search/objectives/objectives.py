"""Objectives and constraints of a search, over metrics that go by name."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from search.numeric import as_number
from space.errors import InputError, Problem, refuse
from space.wording import as_written, did_you_mean

Values = Mapping[str, float]
"""Metrics by name, such as {"validation_accuracy": 0.91, "macs": 3.1e6}."""

Direction = Literal["maximise", "minimise"]
DIRECTIONS: tuple[Direction, ...] = ("maximise", "minimise")
_EITHER = "'maximise' or 'minimise'"
_SPELLINGS: Mapping[str, Direction] = {
    **{direction: direction for direction in DIRECTIONS},
    "maximize": "maximise",
    "minimize": "minimise",
}


@dataclass(frozen=True, slots=True)
class Objective:
    """One metric that shall be as high, or as low, as possible."""

    name: str
    direction: Direction = "maximise"

    @property
    def sign(self) -> int:
        """1 where higher is better, else −1; times a value it makes higher better."""
        return 1 if self.direction == "maximise" else -1

    def to_maximise(self, values: Values) -> float:
        """The metric with the sign that makes higher better.

        Raises:
            KeyError: the values do not have it.
        """
        return self.sign * values[self.name]


@dataclass(frozen=True, slots=True)
class Constraint:
    """One metric that must lie within bounds, both inclusive; None is unbounded."""

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
class Objectives:
    """What a search is for: the objectives, in order, and the constraints beside them.

    Attributes:
        objectives: at least one; no name twice.
        constraints: hard; a point that breaks one is infeasible however good it is.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    def __len__(self) -> int:
        """How many objectives there are."""
        return len(self.objectives)

    def __iter__(self) -> Iterator[Objective]:
        return iter(self.objectives)

    @property
    def names(self) -> tuple[str, ...]:
        """Every metric that a result must have."""
        objectives = [objective.name for objective in self.objectives]
        constraints = [constraint.name for constraint in self.constraints]
        return tuple(dict.fromkeys(objectives + constraints))

    def vector(self, values: Values) -> tuple[float, ...]:
        """The objectives in order, each with the sign that makes higher better."""
        return tuple(objective.to_maximise(values) for objective in self)

    def has(self, values: Values) -> bool:
        """Whether every objective is there and finite."""
        return not self.missing(values)

    def missing(self, values: Values) -> list[str]:
        """The objectives that are not there or not finite, by name."""
        names = (each.name for each in self)
        return [name for name in names if not math.isfinite(values.get(name, math.nan))]

    def keeps(self, values: Values) -> bool:
        """Whether every constraint is kept; a metric that is not there keeps none."""
        return all(
            constraint.violation(values.get(constraint.name, math.nan)) <= 0
            for constraint in self.constraints
        )

    def violation(self, values: Values) -> float:
        """The sum of relative violations, over the constraints whose metrics are there."""
        return sum(
            constraint.violation(values[constraint.name])
            for constraint in self.constraints
            if constraint.name in values
        )


ACCURACY = Objectives((Objective("validation_accuracy"),))
"""The objectives of a study that names none."""


def objectives_from(
    objectives: Mapping[str, str], constraints: Mapping[str, object] | None = None
) -> Objectives:
    """Objectives from plain values.

    Args:
        objectives: "maximise" or "minimise" by name, also with a z.
        constraints: by name an upper bound, or a mapping with "at_most", "at_least" or both.

    Raises:
        InputError: every direction, bound or name that cannot be, and bounds that contradict.
    """
    refuse_lists(objectives=objectives, constraints=constraints or {})
    problems: list[Problem] = []
    for name, direction in objectives.items():
        if as_direction(direction) is None:
            near = did_you_mean(str(direction), DIRECTIONS)
            message = f"must be {_EITHER}; got {as_written(direction)}{near}"
            problems.append(Problem(f"objectives.{name}", message))
    if not objectives:
        message = f"must name at least one metric, with {_EITHER}; got {{}}"
        problems.append(Problem("objectives", message))
    found: list[Constraint] = []
    for name, bound in (constraints or {}).items():
        try:
            found.append(_constraint(name, bound))
        except InputError as error:
            problems += error.problems
    refuse(problems)
    wanted = ((name, as_direction(direction)) for name, direction in objectives.items())
    return Objectives(tuple(Objective(n, known) for n, known in wanted if known), tuple(found))


def as_direction(word: object) -> Direction | None:
    """The direction that a word means, in British or American spelling; None where it is none."""
    return _SPELLINGS.get(word) if isinstance(word, str) else None


def refuse_lists(**given: object) -> None:
    """A list of names says neither the direction nor the bound."""
    wanted = {"objectives": _EITHER, "constraints": "bound"}
    problems = [
        Problem(name, f"must be a mapping from name to {wanted[name]}; got {as_written(value)}")
        for name, value in given.items()
        if not isinstance(value, Mapping)
    ]
    problems += [
        Problem(where, f"a name must be text; got {as_written(name)}")
        for where, value in given.items()
        if isinstance(value, Mapping)
        for name in value
        if not isinstance(name, str)
    ]
    refuse(problems)


_BOUNDS = ("at_most", "at_least")


def _constraint(name: str, bound: object) -> Constraint:
    where = f"constraints.{name}"
    bounds = dict(bound) if isinstance(bound, Mapping) else {"at_most": bound}
    unknown = [str(key) for key in bounds if key not in _BOUNDS]
    if unknown or not bounds:
        message = f"must have at_most, at_least or both; got {as_written(bound)}"
        raise InputError.of(where, message)
    sides = {key: f"{where}.{key}" if isinstance(bound, Mapping) else where for key in bounds}
    numbers = {key: _number(value, sides[key]) for key, value in bounds.items()}
    upper, lower = numbers.get("at_most"), numbers.get("at_least")
    if upper is not None and lower is not None and lower > upper:
        raise InputError.of(where, f"at_least ({lower:,.10g}) is above at_most ({upper:,.10g})")
    return Constraint(name, upper, lower)


def _number(value: object, where: str) -> float:
    number = as_number(value)
    if number is None or not math.isfinite(number):
        raise InputError.of(where, f"must be a finite number; got {as_written(value)}")
    return number
