"""A line of a space file that stands for many mixers: operators or axis values, and sizes."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from math import prod
from typing import Any, cast

from space.axes import AXES
from space.errors import InputError, Problem, join, refuse
from space.mixer import Mixer
from space.mixer_types import MixerType, all_mixer_types, mixer_type_named
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
    mixer_types = _mixer_types(line, where)
    values = {name: listed(line[name]) for name in SIZES_AND_OPTIONS if name in line}
    _refuse_too_many(mixer_types, values, where)
    mixers, used, refused = _combined(mixer_types, values)
    problems = [Problem(join(where, p.where), p.message) for p in dict.fromkeys(refused)]
    problems += [
        Problem(
            join(where, name),
            f"does not apply to {', '.join(mixer_type.name for mixer_type in mixer_types)}",
        )
        for name in values
        if name not in used
    ]
    refuse(problems)
    return mixers


def _refuse_too_many(
    mixer_types: list[MixerType], values: dict[str, list[Any]], where: str
) -> None:
    number = sum(
        prod(len(listed) for name, listed in values.items() if _applies(mixer_type, name))
        for mixer_type in mixer_types
    )
    if number > MOST_MIXERS:
        raise InputError.of(where, f"stands for {number:,} mixers; at most {MOST_MIXERS:,}")


def listed(value: Any) -> list[Any]:
    """The values of a field that takes one value or a list of them."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _mixer_types(line: dict[str, Any], where: str) -> list[MixerType]:
    axes = [name for name in AXES if name in line]
    if "operator" in line:
        if axes:
            raise InputError.of(join(where, axes[0]), "give either an operator or axis values")
        return _named_mixer_types(listed(line["operator"]), join(where, "operator"))
    return _axis_mixer_types(line, where)


def _named_mixer_types(names: list[Any], where: str) -> list[MixerType]:
    if names == ["all"]:
        return list(all_mixer_types())
    mixer_types, problems = [], []
    for name in names:
        try:
            mixer_types.append(mixer_type_named(str(name)))
        except InputError as error:
            problems += [Problem(where, p.message) for p in error.problems]
    if problems or not mixer_types:
        raise InputError(problems or [Problem(where, "names no operator")])
    return mixer_types


def _axis_mixer_types(line: dict[str, Any], where: str) -> list[MixerType]:
    problems, values = [], []
    for name, axis in AXES.items():
        words = listed(line[name]) if name in line else list(axis)
        for word in words:
            if word not in list(axis):
                problems.append(
                    Problem(
                        join(where, name), f"{word!r} is not allowed; allowed: {', '.join(axis)}"
                    )
                )
        values.append([axis(word) for word in words if word in list(axis)])
    refuse(problems)
    legal = [
        mixer_type
        for mixer_type in all_mixer_types()
        if all(word in words for word, words in zip(mixer_type.values, values, strict=True))
    ]
    if not legal:
        broken = [set(broken_rules(*axes)) for axes in cast(Iterator[Values], product(*values))]
        # The rules that stand in the way of all combinations say more than the rest.
        rules = set.intersection(*broken) or set.union(*broken)
        ordered = sorted(rules, key=lambda rule: rule.number)
        raise InputError([Problem(where, f"nothing fits: breaks {rule}") for rule in ordered])
    return legal


def _combined(
    mixer_types: list[MixerType], values: dict[str, list[Any]]
) -> tuple[list[Mixer], set[str], list[Problem]]:
    mixers: list[Mixer] = []
    used: set[str] = set()
    failures: list[tuple[dict[str, Any], tuple[Problem, ...]]] = []
    for mixer_type in mixer_types:
        names = [name for name in values if _applies(mixer_type, name)]
        used.update(names)
        for combination in product(*(values[name] for name in names)):
            sizes = dict(zip(names, combination, strict=True))
            try:
                mixers.append(Mixer.from_dict(_axis_values(mixer_type) | sizes, ""))
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


def _axis_values(mixer_type: MixerType) -> dict[str, Any]:
    return dict(zip(AXES, mixer_type.values, strict=True))


def _applies(mixer_type: MixerType, name: str) -> bool:
    return name in Mixer.applicable(*mixer_type.values)
