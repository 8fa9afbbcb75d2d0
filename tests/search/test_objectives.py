"""Pareto fronts and hypervolume against slow and obvious definitions."""

import itertools

import numpy as np
import pytest

from search.objective_parsing import bare_bound_problems
from search.objectives import (
    Constraint,
    Objective,
    crowding_distances,
    dominates,
    hypervolume,
    nondominated,
    nondominated_ranks,
    objectives_from,
)
from space.errors import InputError


def vectors(seed: int, count: int, width: int) -> np.ndarray:
    """With repeats, as rounded metrics have them."""
    return np.random.default_rng(seed).integers(0, 6, (count, width)).astype(float)


def slow_ranks(rows: np.ndarray, off: np.ndarray) -> list[int]:
    """A row's rank is one more than the highest rank of those that are better."""

    def better(i: int, j: int) -> bool:
        if off[i] > 0 or off[j] > 0:
            return bool(off[i] < off[j])
        return dominates(rows[i], rows[j])

    ranks: dict[int, int] = {}

    def rank(j: int) -> int:
        if j not in ranks:
            ranks[j] = max((rank(i) + 1 for i in range(len(rows)) if better(i, j)), default=0)
        return ranks[j]

    return [rank(j) for j in range(len(rows))]


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_the_longest_chain_of_better_rows(width: int, seed: int) -> None:
    rows = vectors(seed, 25, width)
    off = np.maximum(np.random.default_rng(seed).normal(size=25), 0).round(1)
    assert nondominated_ranks(rows, off).tolist() == slow_ranks(rows, off)


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("most", [0, 1, 7, 24, 100])
def test_ranks_of_the_best_alone_are_those_of_all(width: int, most: int) -> None:
    rows, off = vectors(1, 25, width), np.repeat([0.0, 0.5], [20, 5])
    whole, some = nondominated_ranks(rows, off), nondominated_ranks(rows, off, most)
    best = np.argsort(whole, kind="stable")[: min(most, 20)]
    assert some[best].tolist() == whole[best].tolist()
    order = np.argsort(some, kind="stable")
    assert all(whole[order[:most]] <= whole[order[most:]].min(initial=100))
    assert (some[20:] > some[:20].max()).all()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_first_front_alone(width: int) -> None:
    rows = vectors(2, 60, width)
    assert nondominated(rows).tolist() == (nondominated_ranks(rows) == 0).tolist()


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_hypervolume_counts_the_unit_cubes_that_are_dominated(width: int) -> None:
    rows = vectors(3, 12, width)
    cubes = itertools.product(range(6), repeat=width)
    counted = sum(bool((rows > np.array(cube)).all(1).any()) for cube in cubes)
    assert hypervolume(rows, np.zeros(width)) == counted


def test_crowding_is_infinite_at_the_ends_only() -> None:
    distances = crowding_distances([[0, 4], [1, 3], [3, 1], [4, 0]])
    assert distances.tolist() == [np.inf, 1.5, 1.5, np.inf]


def test_the_american_spelling_means_the_same() -> None:
    wanted = {"a": "maximize", "b": "minimize"}
    found = objectives_from(wanted)
    assert found == objectives_from({"a": "maximise", "b": "minimise"})
    assert [objective.direction for objective in found] == ["maximise", "minimise"]
    assert len(bare_bound_problems(wanted, {"a": 3, "b": 3})) == 1


@pytest.mark.parametrize("word", ["max", "", "Maximise", None, 1, ["maximise"]])
def test_no_other_word_is_a_direction(word: object) -> None:
    with pytest.raises(InputError, match=r"objectives\.a: must be 'maximise' or 'minimise'; got"):
        objectives_from({"a": word})  # type: ignore[dict-item]


def test_objectives_are_those_named_with_the_sign_that_makes_higher_better() -> None:
    found = objectives_from({"a": "maximise", "b": "minimise"}, {"c": 1})
    assert list(found) == [Objective("a"), Objective("b", "minimise")]
    assert len(found) == 2
    assert found.names == ("a", "b", "c")
    assert found.vector({"a": 1.0, "b": 2.0, "c": 3.0}) == (1.0, -2.0)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_hypervolume_is_measured_from_the_reference(width: int) -> None:
    rng = np.random.default_rng(width)
    rows, reference = rng.integers(-4, 7, (30, width)), rng.integers(-5, -1, width)
    moved = hypervolume(rows - reference, np.zeros(width))
    assert moved > 0
    assert hypervolume(rows.tolist(), reference.tolist()) == moved


@pytest.mark.parametrize(
    ("constraint", "value", "off"),
    [
        (Constraint("a", upper=4.0), 5.0, 0.25),
        (Constraint("a", upper=-4.0), -3.0, 0.25),
        (Constraint("a", lower=4.0), 3.0, 0.25),
        (Constraint("a", upper=0.0), 0.25, 0.25),
        (Constraint("a", lower=0.0), -0.25, 0.25),
        (Constraint("a", upper=4.0, lower=2.0), 1.0, 0.5),
        (Constraint("a", upper=4.0, lower=2.0), 3.0, 0.0),
        (Constraint("a", upper=4.0), float("nan"), float("inf")),
    ],
)
def test_a_violation_is_a_share_of_its_bound_and_of_one_where_that_is_0(
    constraint: Constraint, value: float, off: float
) -> None:
    assert constraint.violation(value) == off


def test_the_two_sides_of_a_bound_may_meet_and_not_cross() -> None:
    bound = {"at_least": 5, "at_most": 5}
    assert objectives_from({"a": "maximise"}, {"b": bound}).constraints == (
        Constraint("b", upper=5.0, lower=5.0),
    )
    with pytest.raises(InputError, match=r"b: at_least \(5\) is above at_most \(4\)"):
        objectives_from({"a": "maximise"}, {"b": bound | {"at_most": 4}})


@pytest.mark.parametrize("bound", [{}, {"under": 3}, {"at_most": 3, "under": 4}])
def test_what_a_bound_may_say_is_said(bound: dict[str, int]) -> None:
    with pytest.raises(InputError) as refused:
        objectives_from({"a": "maximise"}, {"b": bound})
    assert f"must have at_most, at_least or both; got {bound!r}" in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as refused:
        objectives_from({"a": "up", "b": "minimise"}, {"c": {}, "b": {"under": 1}})
    wheres = [problem.where for problem in refused.value.problems]
    assert wheres == ["objectives.a", "constraints.c", "constraints.b"]
