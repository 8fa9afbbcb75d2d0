"""A line of a space file that stands for many mixers: operators or axis values, and sizes."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, cast

from space.axes import AXES
from space.custom import CustomMixer, MixerDefinition, registered_mixers
from space.custom.registry import registered
from space.design.mixer_fields import SIZES_AND_OPTIONS, field_names, field_value
from space.errors import InputError, Problem, join, refuse
from space.mixer import Mixer
from space.mixer_types import (
    MixerType,
    all_mixer_types,
    is_operator_name,
    mixer_type_named,
)
from space.rules import Values, broken_rules

MOST_MIXERS = 20_000
"""Combinations that one line may stand for."""

Operator = MixerType | MixerDefinition
"""What a line names: a type of the algebra, or a mixer that was registered."""


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
    if "custom" in line:
        return [CustomMixer.from_dict(line, where)]
    named = _named(line, where)
    own = [name for each in named if isinstance(each, MixerDefinition) for name in each.options]
    allowed = tuple(dict.fromkeys(("operator", *AXES, *SIZES_AND_OPTIONS, *own)))
    refuse(
        Problem(join(where, str(name)), f"unknown field; allowed: {', '.join(allowed)}")
        for name in line
        if name not in allowed
    )
    mixer_types = named or _axis_mixer_types(line, where)
    values = {name: listed(line[name]) for name in allowed[1 + len(AXES) :] if name in line}
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


def _refuse_too_many(mixer_types: list[Operator], values: dict[str, list[Any]], where: str) -> None:
    number = sum(
        prod(len(listed) for name, listed in values.items() if _applies(mixer_type, name))
        for mixer_type in mixer_types
    )
    if number > MOST_MIXERS:
        raise InputError.of(where, f"stands for {number:,} mixers; at most {MOST_MIXERS:,}")


def listed(value: Any) -> list[Any]:
    """The values of a field that takes one value or a list of them."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _named(line: dict[str, Any], where: str) -> list[Operator]:
    """What a line names; nothing where it gives values of axes."""
    if "operator" not in line:
        return []
    axes = [name for name in AXES if name in line]
    if axes:
        raise InputError.of(join(where, axes[0]), "give either an operator or axis values")
    return _operators(listed(line["operator"]), join(where, "operator"))


def _operators(names: list[Any], where: str) -> list[Operator]:
    if names == ["all"]:
        return list(all_mixer_types())
    mixer_types: list[Operator] = []
    problems = []
    for name in names:
        try:
            mixer_types.append(_operator(str(name)))
        except InputError as error:
            problems += [Problem(where, p.message) for p in error.problems]
    if problems or not mixer_types:
        raise InputError(problems or [Problem(where, "names no operator")])
    return mixer_types


def _operator(name: str) -> Operator:
    if is_operator_name(name):
        return mixer_type_named(name)
    found = registered(name)
    if found is not None:
        return found
    try:
        return mixer_type_named(name)
    except InputError as error:
        own = ", ".join(each.name for each in registered_mixers())
        more = f"; registered: {own}" if own else ""
        more += "; a mixer of your own is known once `plugins` of the space names its module"
        raise InputError(Problem(p.where, p.message + more) for p in error.problems) from None


def _axis_mixer_types(line: dict[str, Any], where: str) -> list[Operator]:
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
    legal: list[Operator] = [
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
    mixer_types: list[Operator], values: dict[str, list[Any]]
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
                mixers.append(_mixer(mixer_type, sizes))
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
        name: list(dict.fromkeys(field_value(mixer, name) for mixer in mixers))
        for name in field_names(mixers)
    }
    return [
        problem
        for sizes, problems in failures
        for problem in problems
        if sizes.get(problem.where) is None
        or sizes[problem.where] not in taken.get(problem.where, ())
    ]


def _mixer(operator: Operator, sizes: dict[str, Any]) -> Mixer:
    if isinstance(operator, MixerDefinition):
        return CustomMixer(operator.name, sizes)
    return Mixer.from_dict(dict(zip(AXES, operator.values, strict=True)) | sizes, "")


def _applies(operator: Operator, name: str) -> bool:
    if isinstance(operator, MixerDefinition):
        return name in operator.options
    return name in Mixer.applicable(*operator.values)
