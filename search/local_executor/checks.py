"""Refuses a space, or settings, that no search could work with, before anything is evaluated."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, get_args

import numpy as np

from search.numeric import as_number, as_whole_number
from search.objectives import JudgedBy
from space import Infeasible
from space.errors import InputError, Problem, refuse

_METHODS = ("sample", "neighbours", "key", "encode")
_LOOKED_AT = 8
"""Points that are drawn to look at a space."""


def whole_settings(
    functions: Mapping[str, object],
    budget: object,
    seed: object,
    fidelities: object,
    judged_by: object,
) -> tuple[int, int, int]:
    """Budget, seed and fidelities, when all these can be and the functions can be called.

    Raises:
        InputError: with all that is wrong.
    """
    problems: list[Problem] = []
    for name, function in functions.items():
        if not callable(function):
            problems.append(Problem(name, f"must be callable; got {function!r}"))
    given = {"budget": (budget, 1), "seed": (seed, 0), "fidelities": (fidelities, 1)}
    whole: dict[str, int] = {}
    for name, (value, least) in given.items():
        number = as_whole_number(value, least)
        if number is None:
            message = f"must be a whole number of at least {least}; got {value!r}"
            problems.append(Problem(name, message))
        else:
            whole[name] = number
    if judged_by not in get_args(JudgedBy):
        allowed = " or ".join(map(repr, get_args(JudgedBy)))
        problems.append(Problem("judged_by", f"must be {allowed}; got {judged_by!r}"))
    refuse(problems)
    return whole["budget"], whole["seed"], whole["fidelities"]


def check_space(space: Any, seed: int) -> list[Any]:
    """Some points of a space; refuse one that lacks a method, or gives not what a search needs.

    Raises:
        InputError: with all that is wrong.
    """
    if isinstance(space, type):
        message = f"must be a space, not the class of one; got {space.__name__} without ()"
        raise InputError.of("space", message)
    missing = [name for name in _METHODS if not callable(getattr(space, name, None))]
    if missing:
        raise InputError([Problem(f"space.{name}", "this method is required") for name in missing])
    points = _drawn(space, seed)
    problems = [problem for point in points[:1] for problem in _point_problems(space, point)]
    if not problems and len({len(_encoding(space, point)) for point in points}) > 1:
        problems.append(Problem("space.encode", "must give as many numbers for every point"))
    refuse(problems)
    return points


def _drawn(space: Any, seed: int) -> list[Any]:
    """Some points to look at.

    Raises:
        InputError: not one could be drawn.
    """
    found, refusal = [], ""
    for index in range(_LOOKED_AT):
        try:
            found.append(space.sample(np.random.default_rng([seed, index])))
        except Infeasible as error:
            refusal = str(error)
    if not found:
        raise InputError.of("space", f"has no point: {refusal}")
    return found


def check_known(known: Callable[[Any], object], points: Iterable[Any]) -> None:
    """Refuse known metrics that are no numbers by name.

    Raises:
        InputError: with what it gave for a point.
    """
    for point in points:
        found = known(point)
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
            message = f"must give numbers by name; got {found!r} for {point!r}"
            raise InputError.of("known", message)
        wrong = {name: value for name, value in found.items() if as_number(value) is None}
        if wrong:
            raise InputError.of("known", f"must give numbers by name; got {wrong!r} for {point!r}")


def _point_problems(space: Any, point: Any) -> list[Problem]:
    problems = []
    wanted: dict[str, tuple[Callable[[], bool], str]] = {
        "sample": (lambda: isinstance(point, Hashable) and hash(point) is not None, "hashable"),
        "key": (lambda: hash(space.key(point)) is not None, "hashable keys"),
        "encode": (lambda: all(map(math.isfinite, _encoding(space, point))), "finite numbers"),
        "neighbours": (lambda: list(space.neighbours(point)) is not None, "a sequence of points"),
    }
    for name, (holds, what) in wanted.items():
        try:
            fine = holds()
        except (TypeError, ValueError) as error:
            problems.append(Problem(f"space.{name}", f"must give {what}; {error}"))
            continue
        if not fine:
            problems.append(Problem(f"space.{name}", f"must give {what}"))
    return problems


def _encoding(space: Any, point: Any) -> list[float]:
    return [float(number) for number in space.encode(point)]
