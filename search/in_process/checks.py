"""Refuses a space, or settings, that no search could work with, before anything is evaluated."""

import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from search.numeric import as_whole_number
from space import Infeasible
from space.errors import InputError, Problem

_METHODS = ("sample", "neighbours", "key", "encode")


def whole_settings(
    functions: Mapping[str, object], budget: object, seed: object, fidelities: object
) -> tuple[int, int, int]:
    """Budget, seed and fidelities, when they can be and the functions can be called.

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
    if problems:
        raise InputError(problems)
    return whole["budget"], whole["seed"], whole["fidelities"]


def check_space(space: Any, seed: int) -> None:
    """Refuse a space that lacks a method, or whose methods do not give what a search needs.

    Raises:
        InputError: with all that is wrong.
    """
    if isinstance(space, type):
        message = f"must be a space, not the class of one; got {space.__name__} without ()"
        raise InputError.of("space", message)
    missing = [name for name in _METHODS if not callable(getattr(space, name, None))]
    if missing:
        raise InputError([Problem(f"space.{name}", "this method is required") for name in missing])
    try:
        points = [space.sample(np.random.default_rng([seed, index])) for index in range(2)]
    except Infeasible as error:
        raise InputError.of("space", f"has no point: {error}") from None
    problems = [problem for point in points[:1] for problem in _point_problems(space, point)]
    if not problems and len({len(_encoding(space, point)) for point in points}) > 1:
        problems.append(Problem("space.encode", "must give as many numbers for every point"))
    if problems:
        raise InputError(problems)


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
