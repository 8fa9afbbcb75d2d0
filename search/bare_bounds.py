"""A bound without a side is an upper one, as of a cost; of what should be high it says nothing."""

from collections.abc import Mapping
from typing import Any

from search.objectives import as_direction
from space.design import figure_of
from space.errors import Problem

_SHOULD_BE_HIGH = ("validation_accuracy",)
"""Figures of which more is better, whatever a study wants."""


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
    high = {
        figure_of(name) for name, wanted in objectives.items() if as_direction(wanted) == "maximise"
    }
    high |= {*_SHOULD_BE_HIGH}
    return [
        name
        for name, bound in constraints.items()
        if figure_of(name) in high and not isinstance(bound, Mapping)
    ]
