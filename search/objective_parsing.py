"""Objectives and constraints as people write them and as the store keeps them."""

from collections.abc import Mapping
from typing import Any

from search.metrics import ANALYTIC_METRICS, DEVICE_METRICS, METRICS
from search.numeric import parse_milliseconds
from search.objectives import (
    ACCURACY,
    Objectives,
    as_direction,
    objectives_from,
    refuse_lists,
)
from space.design import Limits, canonical_metric
from space.errors import InputError, Problem, refuse
from space.wording import as_written, did_you_mean


def parse_objectives(objectives: Mapping[str, str], constraints: Mapping[str, Any]) -> Objectives:
    """The objectives of a study.

    Args:
        objectives: "maximise" or "minimise" by metric.
        constraints: bounds by metric. Those of costs may be written as people write them, such
            as 30M or "512 MiB".

    Raises:
        InputError: a metric that nothing here evaluates, a bound or direction that cannot be.
    """
    refuse_lists(objectives=objectives, constraints=constraints)
    problems = [
        *_without_evaluator(objectives, "objectives"),
        *_without_evaluator(constraints, "constraints"),
    ]
    refuse(problems)
    bounds = {name: _bound(name, value) for name, value in constraints.items()}
    return objectives_from(with_current_metrics(objectives), with_current_metrics(bounds))


def with_current_metrics(named: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of metrics, by the names that they have here."""
    return {canonical_metric(name): value for name, value in named.items()}


def given_twice(named: Mapping[str, Any], where: str) -> list[Problem]:
    """The names that are another word for a metric that was named before them."""
    first: dict[str, str] = {}
    problems = []
    for name in named:
        before = first.setdefault(canonical_metric(name), name)
        if before != name:
            message = f"is the same metric as {where}.{before}, give it once"
            problems.append(Problem(f"{where}.{name}", message))
    return problems


def stored_objectives(objective: Mapping[str, Any]) -> Objectives:
    """The objectives of a study of the store; a study that names no objective wants accuracy."""
    wanted = objective.get("objectives") or {
        each.name: each.direction for each in ACCURACY.objectives
    }
    return parse_objectives(wanted, objective.get("constraints") or {})


def _without_evaluator(named: Mapping[str, Any], where: str) -> list[Problem]:
    problems = []
    for name in named:
        if canonical_metric(name) in METRICS:
            continue
        allowed = f"allowed: {', '.join(METRICS)}{did_you_mean(name, METRICS)}"
        problems.append(Problem(f"{where}.{name}", f"unknown metric; {allowed}"))
    return problems


def _bound(name: str, value: Any) -> Any:
    """A bound with its numbers read; measured metrics have plain ones."""
    if isinstance(value, Mapping):
        return {side: _number(name, number, f".{side}") for side, number in value.items()}
    return _number(name, value, "")


def _number(name: str, value: Any, side: str) -> Any:
    if name in DEVICE_METRICS:
        return _milliseconds(value, f"constraints.{name}{side}")
    if canonical_metric(name) not in ANALYTIC_METRICS:
        return value
    try:
        limits = Limits.from_dict({name: value}, "").to_dict()
    except InputError as error:
        where = f"constraints.{name}{side}"
        raise InputError(Problem(where, p.message) for p in error.problems) from None
    return next(iter(limits.values()))


def _milliseconds(value: Any, where: str) -> float:
    try:
        return parse_milliseconds(value)
    except ValueError as error:
        raise InputError.of(where, f"{error}; got {as_written(value)}") from None


_SHOULD_BE_HIGH = ("validation_accuracy",)
"""Metrics of which more is better, whatever a study wants."""


def bare_bound_problems(
    objectives: Mapping[str, Any], constraints: Mapping[str, Any]
) -> list[Problem]:
    """The bare bounds of a new study that may be meant either way, with both readings."""
    return [
        Problem(
            f"constraints.{name}",
            f"a bound of what should be high needs its side: {{at_least: {constraints[name]}}} or "
            f"{{at_most: {constraints[name]}}}; got {constraints[name]!r}",
        )
        for name in _ambiguous(objectives, constraints)
    ]


def with_sides(objectives: Mapping[str, Any], constraints: Mapping[str, Any]) -> dict[str, Any]:
    """The constraints of a study from before these were refused: then all meant at most."""
    sides = {name: {"at_most": constraints[name]} for name in _ambiguous(objectives, constraints)}
    return dict(constraints) | sides


def _ambiguous(objectives: Mapping[str, Any], constraints: Mapping[str, Any]) -> list[str]:
    wanted = with_current_metrics(objectives)
    high = {name for name, word in wanted.items() if as_direction(word) == "maximise"}
    high |= {*_SHOULD_BE_HIGH}
    return [
        name
        for name, bound in constraints.items()
        if canonical_metric(name) in high and not isinstance(bound, Mapping)
    ]
