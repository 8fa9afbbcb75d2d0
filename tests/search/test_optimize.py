"""Searching in this process: budget, objectives of every kind, failures, early stopping."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from search import Evaluation, optimize
from space.errors import InputError
from tests.search.toy import Point, ToySpace

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


def test_figures_of_a_dictionary_are_maximised_when_no_objective_is_named() -> None:
    result = optimize(SPACE, both, "random", budget=40)
    assert [o.name for o in result.goals.objectives] == ["value", "digit"]
    best = max((SPACE.value(p), p[2]) for p in SPACE.points())
    assert [(e.values["value"], e.values["digit"]) for e in result.front] == [best]


def test_objectives_by_name_make_a_front() -> None:
    goals = {"value": "maximise", "digit": "minimise"}
    result = optimize(SPACE, both, "random", budget=40, objectives=goals)
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
    assert [each.point for each in shown] == [each.point for each in result.evaluations]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"searcher": "magic"}, "searcher"),
        ({"scheduler": "magic"}, "scheduler"),
        ({"scheduler": "asha"}, "fidelities"),
        ({"scheduler": "asha", "fidelities": 9, "objectives": {"a": "maximise", "b": "minimise"}},
         "scheduler.name"),
        ({"searcher_options": {"colour": 1}}, "searcher.colour"),
        ({"scheduler_options": {"colour": 1}}, "scheduler.colour"),
        ({"budget": 0}, "budget"),
        ({"budget": 2.5}, "budget"),
        ({"seed": -1}, "seed"),
        ({"fidelities": True}, "fidelities"),
        ({"objective": 3}, "objective"),
        ({"objectives": {}}, "objectives"),
        ({"objectives": {"a": "up"}}, "objectives.a"),
        ({"constraints": {"a": float("nan")}}, "constraints.a.at_most"),
        ({"constraints": {"a": {"at_most": 1, "at_least": 2}}}, "constraints.a"),
        ({"constraints": {"a": {"below": 2}}}, "constraints.a"),
        ({"space": object()}, "space.sample"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_before_anything_is_evaluated(
    settings: dict[str, Any], where: str
) -> None:
    def never(point: Point) -> float:
        raise AssertionError("evaluated")

    given: dict[str, Any] = {"space": SPACE, "objective": never, "searcher": "random"} | settings
    with pytest.raises(InputError) as refused:
        optimize(**given)
    assert where in [problem.where for problem in refused.value.problems]


def test_a_space_whose_methods_give_the_wrong_things_is_refused() -> None:
    class Wrong:
        def sample(self, rng: np.random.Generator) -> Any:
            return [1]

        def neighbours(self, point: Any) -> Sequence[Any]:
            return []

        def key(self, point: Any) -> Any:
            return point

        def encode(self, point: Any) -> Sequence[float]:
            return [float("nan")]

    with pytest.raises(InputError) as refused:
        optimize(Wrong(), lambda point: 1.0, "random")
    found = [problem.where for problem in refused.value.problems]
    assert found == ["space.sample", "space.key", "space.encode"]
