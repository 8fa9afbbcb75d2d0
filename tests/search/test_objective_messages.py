"""What is refused of objectives, and why trials are stopped, word by word."""

from typing import Any

import numpy as np
import pytest

from search.objectives import Constraint, Objective, Objectives, objectives_from
from search.schedulers.hyperband import Hyperband
from search.schedulers.median import MedianStopping
from search.schedulers.rung_ranking import place_in_front
from space.errors import InputError, Problem

ONE = Objectives((Objective("a"),))
GOOD = {"a": "maximise"}
NO_NUMBER = "must be a finite number; got "


@pytest.mark.parametrize(
    ("objectives", "constraints", "problems"),
    [
        (
            {},
            {},
            [
                (
                    "objectives",
                    "must name at least one metric, with 'maximise' or 'minimise'; got {}",
                )
            ],
        ),
        (
            {"a": "maximse", "b": 3},
            {},
            [
                (
                    "objectives.a",
                    "must be 'maximise' or 'minimise'; got 'maximse'; did you mean 'maximise'?",
                ),
                ("objectives.b", "must be 'maximise' or 'minimise'; got 3"),
            ],
        ),
        (
            ["a"],
            ["b"],
            [
                (
                    "objectives",
                    "must be a mapping from name to 'maximise' or 'minimise'; got ['a']",
                ),
                ("constraints", "must be a mapping from name to bound; got ['b']"),
            ],
        ),
        (
            {1: "maximise"},
            {None: 3},
            [
                ("objectives", "a name must be text; got 1"),
                ("constraints", "a name must be text; got null"),
            ],
        ),
        (
            GOOD,
            {"b": "many", "c": {"at_least": float("nan")}, "d": {}, "e": {"below": 1}, "f": True},
            [
                ("constraints.b", f"{NO_NUMBER}'many'"),
                ("constraints.c.at_least", f"{NO_NUMBER}nan"),
                ("constraints.d", "must have at_most, at_least or both; got {}"),
                ("constraints.e", "must have at_most, at_least or both; got {'below': 1}"),
                ("constraints.f", f"{NO_NUMBER}true"),
            ],
        ),
        (
            GOOD,
            {"b": {"at_least": 2000, "at_most": 1000.5}},
            [("constraints.b", "at_least (2,000) is above at_most (1,000.5)")],
        ),
    ],
)
def test_every_problem_of_objectives_is_said(
    objectives: Any, constraints: Any, problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(InputError) as caught:
        objectives_from(objectives, constraints)
    assert caught.value.problems == tuple(Problem(*each) for each in problems)


def test_objectives_are_what_was_written() -> None:
    found = objectives_from(
        {"a": "maximize", "b": "minimise"}, {"c": 1, "d": {"at_least": 2, "at_most": 2}}
    )
    assert found == Objectives(
        (Objective("a"), Objective("b", "minimise")),
        (Constraint("c", upper=1.0), Constraint("d", upper=2.0, lower=2.0)),
    )
    assert [each.bounds for each in found.constraints] == ["at most 1", "at least 2 and at most 2"]
    assert found.names == ("a", "b", "c", "d")


def test_a_bound_is_kept_by_the_metric_that_it_is_on() -> None:
    wanted = Objectives((Objective("a"),), (Constraint("b", upper=1.0), Constraint("c", lower=2.0)))
    assert wanted.keeps({"b": 1.0, "c": 2.0})
    for broken in ({"b": 1.1, "c": 2.0}, {"b": 1.0, "c": 1.9}, {"b": 1.0}, {"c": 2.0}, {}):
        assert not wanted.keeps(broken)
    assert wanted.violation({"b": 1.5, "c": 1.0}) == pytest.approx(0.5 + 0.5)
    assert wanted.violation({"c": 1.0}) == 0.5
    assert wanted.violation({}) == 0


@pytest.mark.parametrize(("epoch", "after"), [(1, "1 epoch"), (2, "2 epochs")])
def test_who_is_below_the_median_hears_its_place(epoch: int, after: str) -> None:
    rule = MedianStopping(ONE, 9, grace_epochs=1, min_trials=3)
    for trial, value in enumerate((0.5, 0.6, 0.7)):
        for each in range(1, epoch + 1):
            assert not rule.report(trial, each, {"a": value}).stop
    for each in range(1, epoch):
        rule.report("last", each, {})  # nothing is known of it before
    stopped = rule.report("last", epoch, {"a": 0.1})
    assert stopped.stop
    assert stopped.reason == f"place 4 of 4 after {after}; the better half went on (median)"


def test_who_is_stopped_by_hyperband_hears_of_its_bracket() -> None:
    hyperband = Hyperband(ONE, 9, reduction_factor=3)
    for trial in range(60):
        hyperband.added(trial)
    reasons: dict[int, set[str]] = {}
    for epoch in range(1, 9):
        for trial in range(60):
            decision = hyperband.report(trial, epoch, {"a": (trial * 7 % 60) / 60})
            if decision.stop:
                ending = str(decision.reason).rpartition(" (")[2]
                reasons.setdefault(hyperband.bracket(trial), set()).add(ending)
    number = len(hyperband.brackets)
    assert reasons == {
        bracket: {f"hyperband, bracket {bracket + 1} of {number})"}
        for bracket, rungs in enumerate(hyperband.brackets)
        if rungs
    }


def test_places_in_a_front_are_of_its_own_width() -> None:
    """Objectives count alike, however narrow one is beside the other."""
    front = np.array([[0.00, 100.0], [0.01, 70.0], [0.06, 30.0], [0.10, 0.0]])
    places = [place_in_front(front, row) for row in front]
    assert places == [2, 4, 3, 1]
    for scale in (1e-6, 1.0, 1e6):
        scaled = front * [scale, 1.0]
        assert [place_in_front(scaled, row) for row in scaled] == places
