"""A line of a space file that stands for many mixers: operators or axis values, and sizes."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from math import prod
from typing import Any, cast

from space.axes import AXES
from space.cells import Cell, all_cells, cell_named
from space.errors import InputError, Problem, join
from space.mixer import Mixer
from space.rules import Values, broken_rules

MOST_MIXERS = 20_000
"""Combinations that one line may stand for."""

SIZES_AND_OPTIONS = tuple(field.name for field in fields(Mixer) if field.name not in AXES)
"""The fields of a mixer that are no axes."""


def expand_mixers(line: object, where: str) -> list[Mixer]:
    """The mixers that a line stands for.

    A line names operators (`operator: dw-s conv`, or a list) or gives values of the five axes
    (an axis left out stands for all of its values; combinations that break a rule are left
    out). Sizes and options are values or lists of values; each goes to the operators it applies to.

    Raises:
        InputError: every problem of the line, below the path `where`.
    """
    if isinstance(line, str):
        line = {"operator": line}
    if not isinstance(line, dict) or not line:
        raise InputError.of(where, f"{line!r} is not an operator's name or a mapping of fields")
    allowed = ("operator", *AXES, *SIZES_AND_OPTIONS)
    unknown = [
        Problem(join(where, str(name)), f"unknown field; allowed: {', '.join(allowed)}")
        for name in line
        if name not in allowed
    ]
    if unknown:
        raise InputError(unknown)
    cells = _cells(line, where)
    values = {name: _listed(line[name]) for name in SIZES_AND_OPTIONS if name in line}
    _refuse_too_many(cells, values, where)
    mixers, used, refused = _combined(cells, values)
    problems = [Problem(join(where, p.where), p.message) for p in dict.fromkeys(refused)]
    problems += [
        Problem(join(where, name), f"does not apply to {', '.join(cell.name for cell in cells)}")
        for name in values
        if name not in used
    ]
    if problems:
        raise InputError(problems)
    return mixers


def _refuse_too_many(cells: list[Cell], values: dict[str, list[Any]], where: str) -> None:
    number = sum(
        prod(len(listed) for name, listed in values.items() if _applies(cell, name))
        for cell in cells
    )
    if number > MOST_MIXERS:
        raise InputError.of(where, f"stands for {number:,} mixers; at most {MOST_MIXERS:,}")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _cells(line: dict[str, Any], where: str) -> list[Cell]:
    axes = [name for name in AXES if name in line]
    if "operator" in line:
        if axes:
            raise InputError.of(join(where, axes[0]), "give either an operator or axis values")
        return _named_cells(_listed(line["operator"]), join(where, "operator"))
    return _axis_cells(line, where)


def _named_cells(names: list[Any], where: str) -> list[Cell]:
    if names == ["all"]:
        return list(all_cells())
    cells, problems = [], []
    for name in names:
        try:
            cells.append(cell_named(str(name)))
        except InputError as error:
            problems += [Problem(where, p.message) for p in error.problems]
    if problems or not cells:
        raise InputError(problems or [Problem(where, "names no operator")])
    return cells


def _axis_cells(line: dict[str, Any], where: str) -> list[Cell]:
    problems, values = [], []
    for name, axis in AXES.items():
        words = _listed(line[name]) if name in line else list(axis)
        for word in words:
            if word not in list(axis):
                problems.append(
                    Problem(
                        join(where, name), f"{word!r} is not allowed; allowed: {', '.join(axis)}"
                    )
                )
        values.append([axis(word) for word in words if word in list(axis)])
    if problems:
        raise InputError(problems)
    legal = [
        cell
        for cell in all_cells()
        if all(word in words for word, words in zip(cell.values, values, strict=True))
    ]
    if not legal:
        broken = [set(broken_rules(*axes)) for axes in cast(Iterator[Values], product(*values))]
        # The rules that stand in the way of all combinations say more than the rest.
        rules = set.intersection(*broken) or set.union(*broken)
        ordered = sorted(rules, key=lambda rule: rule.number)
        raise InputError([Problem(where, f"nothing fits: breaks {rule}") for rule in ordered])
    return legal


def _combined(
    cells: list[Cell], values: dict[str, list[Any]]
) -> tuple[list[Mixer], set[str], list[Problem]]:
    mixers: list[Mixer] = []
    used: set[str] = set()
    failures: list[tuple[dict[str, Any], tuple[Problem, ...]]] = []
    for cell in cells:
        names = [name for name in values if _applies(cell, name)]
        used.update(names)
        for combination in product(*(values[name] for name in names)):
            sizes = dict(zip(names, combination, strict=True))
            try:
                mixers.append(Mixer.from_dict(_axis_values(cell) | sizes, ""))
            except InputError as error:
                failures.append((sizes, error.problems))
    return list(dict.fromkeys(mixers)), used, _hopeless(failures, mixers)


def _hopeless(
    failures: list[tuple[dict[str, Any], tuple[Problem, ...]]], mixers: list[Mixer]
) -> list[Problem]:
    """The problems of values that no mixer of the line could take.

    In a line of several operators a value may suit some only, as an even kernel suits windows.
    """
    taken = {
        name: list(dict.fromkeys(getattr(mixer, name) for mixer in mixers))
        for name in SIZES_AND_OPTIONS
    }
    return [
        problem
        for sizes, problems in failures
        for problem in problems
        if sizes.get(problem.where) is None
        or sizes[problem.where] not in taken.get(problem.where, ())
    ]


def _axis_values(cell: Cell) -> dict[str, Any]:
    return dict(zip(AXES, cell.values, strict=True))


def _applies(cell: Cell, name: str) -> bool:
    return name in Mixer.applicable(*cell.values)
