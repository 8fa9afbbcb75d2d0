"""Searching in this process: budget, objectives of every kind, failures, early stopping."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from search import Evaluation, optimize
from search.testing.toy_spaces import Point, ToySpace

SPACE = ToySpace()


def by_epoch(point: Point) -> Iterator[float]:
    for epoch in range(1, 10):
        yield SPACE.value(point) * epoch / 9


def both(point: Point) -> dict[str, float]:
    return {"value": SPACE.value(point), "digit": float(point[2])}


def test_every_point_once_then_exhausted() -> None:
    result = optimize(SPACE, SPACE.value, "random", budget=100)
    assert sorted(each.point for each in result.evaluations) == sorted(SPACE.points())
    assert result.exhausted == "all 40 points that can be reached are in the study"
    assert result.best is not None
    assert result.best.values == {"objective": max(map(SPACE.value, SPACE.points()))}


def test_the_budget_counts_evaluations() -> None:
    result = optimize(SPACE, SPACE.value, "random", budget=7)
    assert [each.number for each in result.evaluations] == list(range(7))
    assert result.exhausted is None


def test_the_same_seed_gives_the_same_points() -> None:
    def points(seed: int) -> list[Point]:
        return [e.point for e in optimize(SPACE, both, "random", budget=9, seed=seed).evaluations]

    assert points(1) == points(1) != points(2)


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (None, "returned nothing"),
        (float("nan"), "nan, which is not finite"),
        (float("inf"), "inf, which is not finite"),
        (Decimal("sNaN"), "nan, which is not finite"),
        (10**400, "inf, which is not finite"),
        ("0.9", "'0.9' (str), which is not a number"),
        (True, "True (bool), which is not a number"),
        ([0.9], "which is not a number"),
        ({}, "empty dictionary"),
        ({"value": None}, "returned nothing"),
        (np.zeros(3), "which is not a number"),
        (iter(()), "yielded nothing"),
    ],
)
def test_what_is_no_number_fails_the_point_and_says_why(returned: Any, reason: str) -> None:
    good = SPACE.points()[:20]
    result = optimize(
        SPACE, lambda p: SPACE.value(p) if p in good else returned, "random", budget=40
    )
    assert result.counts == {"complete": 20, "pruned": 0, "failed": 20, "infeasible": 0}
    failed = [each for each in result.evaluations if each.state == "failed"]
    assert all(reason in str(each.reason) and not each.values for each in failed)


def test_an_objective_that_raises_fails_the_point() -> None:
    def broken(point: Point) -> float:
        raise RuntimeError("no such file")

    result = optimize(SPACE, broken, "random", budget=3)
    assert [each.reason for each in result.evaluations] == ["RuntimeError: no such file"] * 3
    assert result.best is None
    assert result.front == ()


def test_numbers_of_numpy_and_single_elements_are_numbers() -> None:
    result = optimize(SPACE, lambda p: np.float32(SPACE.value(p)), "random", budget=2)
    assert result.counts["complete"] == 2
    result = optimize(SPACE, lambda p: np.array([1]), "random", budget=2)
    assert result.counts["complete"] == 2


@pytest.mark.parametrize("number", [Decimal("0.25"), Fraction(1, 4)])
def test_decimals_and_fractions_are_numbers(number: Any) -> None:
    result = optimize(SPACE, lambda p: {"a": number}, "random", budget=1)
    assert result.evaluations[0].values == {"a": 0.25}
    assert type(result.evaluations[0].values["a"]) is float


def test_metric_of_a_dictionary_are_maximised_when_no_objective_is_named() -> None:
    result = optimize(SPACE, both, "random", budget=40)
    assert [o.name for o in result.objectives.objectives] == ["value", "digit"]
    best = max((SPACE.value(p), p[2]) for p in SPACE.points())
    assert [(e.values["value"], e.values["digit"]) for e in result.front] == [best]


def test_objectives_by_name_make_a_front() -> None:
    objectives = {"value": "maximise", "digit": "minimise"}
    result = optimize(SPACE, both, "random", budget=40, objectives=objectives)
    seen = [(e.values["value"], -e.values["digit"]) for e in result.evaluations]
    front = {a for a in seen if not any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in seen)}
    assert {(e.values["value"], -e.values["digit"]) for e in result.front} == front


def test_a_missing_objective_fails_the_point() -> None:
    result = optimize(SPACE, both, "random", budget=2, objectives={"accuracy": "maximise"})
    assert result.counts["failed"] == 2
    reason = "the objective did not return accuracy; it returned value, digit"
    assert result.evaluations[0].reason == reason


def test_a_measured_constraint_makes_infeasible_and_a_known_one_is_never_evaluated() -> None:
    measured = optimize(SPACE, both, "random", budget=40, constraints={"digit": 3})
    assert measured.counts["infeasible"] == sum(p[2] > 3 for p in SPACE.points())
    broken = next(each for each in measured.evaluations if each.state == "infeasible")
    assert broken.reason == f"digit is {broken.values['digit']:g}, allowed at most 3"
    known = optimize(
        SPACE,
        SPACE.value,
        "random",
        budget=40,
        constraints={"digit": {"at_most": 3, "at_least": 1}},
        known=lambda p: {"digit": float(p[2])},
    )
    assert {each.point[2] for each in known.evaluations} == {1, 2, 3}
    assert known.counts["infeasible"] == 0
    assert known.exhausted


def test_a_scheduler_stops_a_generator_and_closes_it() -> None:
    closed = []

    def objective(point: Point) -> Iterator[float]:
        try:
            yield from by_epoch(point)
        finally:
            closed.append(point)

    result = optimize(SPACE, objective, "random", "asha", budget=30, fidelities=9)
    assert result.counts["pruned"] > 10
    assert closed == [each.point for each in result.evaluations]
    for each in result.evaluations:
        assert len(each.curve) == 9 if each.state == "complete" else len(each.curve) < 9
        assert each.values == each.curve[len(each.curve)]


def test_an_endless_generator_ends_at_the_last_fidelity() -> None:
    def endless(point: Point) -> Iterator[float]:
        while True:
            yield SPACE.value(point)

    result = optimize(SPACE, endless, "random", budget=2, fidelities=3)
    assert [len(each.curve) for each in result.evaluations] == [3, 3]


def test_every_evaluation_is_shown_once_it_ended() -> None:
    shown: list[Evaluation[Point]] = []
    result = optimize(SPACE, both, "random", budget=6, on_evaluation=shown.append)
    assert shown == list(result.evaluations)
    assert {each.state for each in shown} == {"complete"}


@pytest.mark.parametrize("constraints", [None, {"digit": -1}])
def test_failures_are_shown_once_too_before_the_metric_have_names(constraints: Any) -> None:
    calls: list[Point] = []

    def late(point: Point) -> dict[str, float]:
        calls.append(point)
        assert len(shown) == len(calls) - 1, "the ones before were shown at once"
        if len(calls) < 4:
            raise RuntimeError("warming up")
        return both(point)

    shown: list[Evaluation[Point]] = []
    result = optimize(
        SPACE, late, "random", budget=9, constraints=constraints, on_evaluation=shown.append
    )
    assert shown == list(result.evaluations)
    good = "infeasible" if constraints else "complete"
    assert [each.state for each in shown] == ["failed"] * 3 + [good] * 6


@pytest.mark.parametrize("searcher", ["random", "tpe", "evolution", "surrogate"])
def test_the_points_are_the_same_whether_the_objectives_are_named_or_not(searcher: str) -> None:
    def flaky(point: Point) -> dict[str, float]:
        if point[1] != "b":
            raise RuntimeError("only b works")
        return both(point)

    named = {"value": "maximise", "digit": "maximise"}
    for seed in range(3):
        one = optimize(SPACE, flaky, searcher, budget=16, seed=seed)
        two = optimize(SPACE, flaky, searcher, budget=16, seed=seed, objectives=named)
        assert one.objectives == two.objectives
        assert [e.point for e in one.evaluations] == [e.point for e in two.evaluations]


class Grid:
    """All pairs of numbers below `side`."""

    side = 12

    def sample(self, rng: np.random.Generator) -> tuple[int, int]:
        return int(rng.integers(self.side)), int(rng.integers(self.side))

    def neighbours(self, point: tuple[int, int]) -> Sequence[tuple[int, int]]:
        x, y = point
        around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        return [p for p in around if all(0 <= number < self.side for number in p)]

    def key(self, point: tuple[int, int]) -> tuple[int, int]:
        return point

    def encode(self, point: tuple[int, int]) -> Sequence[float]:
        return [float(number) for number in point]


@pytest.mark.parametrize("searcher", ["random", "evolution", "surrogate"])
def test_a_tight_known_constraint_and_no_named_objective(searcher: str) -> None:
    result = optimize(
        Grid(),
        lambda p: {"a": float(p[0] + 2 * p[1])},
        searcher,
        budget=10,
        known=lambda p: {"size": sum(p)},
        constraints={"size": 1},
    )
    assert [each.name for each in result.objectives] == ["a"]
    assert {each.point for each in result.evaluations} == {(0, 0), (1, 0), (0, 1)}
    assert result.counts["complete"] == 3
    assert result.best is not None
    assert result.best.point == (0, 1)
    assert result.exhausted == "all 3 points that can be reached are in the study"


def test_no_point_that_keeps_a_known_constraint_ends_exhausted() -> None:
    result = optimize(
        Grid(), lambda p: {"a": 1.0}, known=lambda p: {"size": sum(p)}, constraints={"size": -1}
    )
    assert result.evaluations == ()
    assert result.exhausted == "no point of the space was found that keeps the constraints"


def test_known_metric_are_no_objectives_and_may_be_decimals() -> None:
    result = optimize(
        Grid(),
        lambda p: {"a": p[0]},
        budget=6,
        known=lambda p: {"size": Decimal(sum(p)), "half": Fraction(p[0], 2)},
        constraints={"half": Decimal("3.5")},
    )
    assert [each.name for each in result.objectives] == ["a"]
    assert result.counts["complete"] == 6
    assert all(e.values["size"] == sum(e.point) for e in result.evaluations)
    assert all(e.point[0] <= 7 for e in result.evaluations)


def test_an_objective_that_returns_is_whole_and_never_stopped() -> None:
    result = optimize(SPACE, SPACE.value, "random", "asha", budget=30, fidelities=9)
    assert result.counts["complete"] == 30
    assert all(dict(e.curve) == {9: e.values} for e in result.evaluations)


def test_a_generator_that_ends_sooner_is_complete_as_far_as_it_came() -> None:
    def patient(point: Point) -> Iterator[float]:
        for epoch in range(1, 10 if point[2] == 0 else 4):
            yield SPACE.value(point) * epoch

    result = optimize(SPACE, patient, "evolution", budget=40, fidelities=9)
    assert result.counts["complete"] == 40
    for each in result.evaluations:
        last = 9 if each.point[2] == 0 else 3
        assert list(each.curve) == list(range(1, last + 1))
        assert each.values == {"objective": pytest.approx(SPACE.value(each.point) * last)}


def test_numpy_counts_and_seeds_are_whole_numbers() -> None:
    counts = {"budget": np.int64(3), "seed": np.uint8(1), "fidelities": np.int32(2)}
    given: dict[str, Any] = {"searcher_options": {"population": np.int64(9)}, **counts}
    plain = optimize(SPACE, by_epoch, budget=3, seed=1, fidelities=2)
    result = optimize(SPACE, by_epoch, **given)
    assert [e.point for e in result.evaluations] == [e.point for e in plain.evaluations]
    assert len(result.evaluations) == 3
