"""Settings of a search in this process that cannot be: refused before anything is evaluated."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from search import optimize
from search.testing.toy_spaces import Point, ToySpace
from space.errors import InputError

SPACE = ToySpace()


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"searcher": "magic"}, "searcher"),
        ({"searcher": []}, "searcher"),
        ({"scheduler": []}, "scheduler"),
        ({"scheduler": "magic"}, "scheduler"),
        ({"scheduler": "asha"}, "fidelities"),
        ({"scheduler": "asha", "fidelities": 9, "objectives": {"a": "maximise", "b": "minimise"}},
         "scheduler.name"),
        ({"searcher_options": {"colour": 1}}, "searcher.colour"),
        ({"scheduler_options": {"colour": 1}}, "scheduler.colour"),
        ({"scheduler_options": {"grace_epochs": 10}, "scheduler": "asha", "fidelities": 9},
         "scheduler.grace_epochs"),
        ({"budget": 0}, "budget"),
        ({"budget": 2.5}, "budget"),
        ({"seed": -1}, "seed"),
        ({"fidelities": True}, "fidelities"),
        ({"objective": 3}, "objective"),
        ({"objectives": {}}, "objectives"),
        ({"objectives": {"a": "up"}}, "objectives.a"),
        ({"constraints": {"a": float("nan")}}, "constraints.a"),
        ({"constraints": {"a": {"at_most": 1, "at_least": 2}}}, "constraints.a"),
        ({"constraints": {"a": {"below": 2}}}, "constraints.a"),
        ({"space": object()}, "space.sample"),
        ({"space": ToySpace}, "space"),
        ({"objectives": ["a"]}, "objectives"),
        ({"constraints": ["a"]}, "constraints"),
        ({"searcher_options": ["a"]}, "searcher_options"),
        ({"scheduler_options": "a", "scheduler": "asha", "fidelities": 9}, "scheduler_options"),
        ({"known": {"a": 1}}, "known"),
        ({"known": lambda point: None}, "known"),
        ({"known": lambda point: "a"}, "known"),
        ({"known": lambda point: {"a": "much"}}, "known"),
        ({"known": lambda point: {1: 2.0}}, "known"),
        ({"constraints": {1: 2}}, "constraints"),
        ({"objectives": {1: "maximise"}}, "objectives"),
        ({"on_evaluation": "print"}, "on_evaluation"),
        ({"judged_by": "bset"}, "judged_by"),
        ({"judged_by": ["best"]}, "judged_by"),
        ({"judged_by": None, "budget": 0}, "judged_by"),
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


def test_another_rule_than_there_is_is_refused_by_its_name() -> None:
    wrong: Any = "bset"
    with pytest.raises(InputError) as refused:
        optimize(SPACE, lambda point: 1.0, "random", judged_by=wrong)
    assert str(refused.value) == "judged_by: must be 'last' or 'best'; got 'bset'"


@pytest.mark.parametrize(
    ("searcher", "options", "message"),
    [
        ("evolution", {"population": "x"}, "population: must be an integer, not text; got 'x'"),
        ("evolution", {"population": 2.5}, "population: must be an integer; got 2.5"),
        ("evolution", {"startup": 0}, "startup: must be at least 1; got 0"),
        ("evolution", {"tournament": True}, "tournament: must be an integer; got true"),
        ("evolution", {"population": 4}, "tournament: must not exceed population (4); got 8"),
        ("evolution", {"two_moves": "x"}, "two_moves: must be a number, not text; got 'x'"),
        ("local", {"startup": 2.5}, "startup: must be an integer; got 2.5"),
        ("surrogate", {"startup": 1}, "startup: must be at least 2; got 1"),
    ],
)  # fmt: skip
def test_values_of_options_that_cannot_be_are_named(
    searcher: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        optimize(SPACE, SPACE.value, searcher, searcher_options=options)
    assert str(refused.value) == f"searcher.{message}"


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


class Growing:
    """Words whose encoding is as long as they are."""

    def sample(self, rng: np.random.Generator) -> str:
        return "a" * int(rng.integers(1, 4))

    def neighbours(self, point: str) -> Sequence[str]:
        return [point + "a"]

    def key(self, point: str) -> str:
        return point

    def encode(self, point: str) -> Sequence[float]:
        return [1.0] * len(point)


def test_encodings_of_different_lengths_are_refused() -> None:
    for seed in range(5):
        with pytest.raises(InputError, match="as many numbers for every point"):
            optimize(Growing(), lambda point: 1.0, "surrogate", seed=seed)
