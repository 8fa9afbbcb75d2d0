"""Shares of axes: what was planted is found and nothing else, and intervals hold the truth."""

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pytest

from search.effects import AxisShare, AxisShares, axis_shares, axis_values
from search.effects.additive_model import AdditiveModel
from search.effects.axis_shares import MOST
from search.effects.axis_values import Value
from space import Architecture
from tests.dashboard.stores import points

Axes = dict[str, Sequence[Value]]


def drawn(seed: int, count: int = 90, *, tied: bool = False) -> Axes:
    """Values of four axes of no relation; where they are tied, the last says what a is."""
    rng = np.random.default_rng(seed)
    words = {name: rng.integers(0, 3, count) for name in ("a", "b", "c", "d")}
    if tied:
        words["d"] = 2 * words["a"] + (words["b"] > 0)
    return {name: [{str(v): 1.0} for v in values] for name, values in words.items()}


def is_one(axes: Axes, axis: str) -> np.ndarray:
    return np.array([value.get("1", 0.0) for value in axes[axis]])


def noise(seed: int, count: int, *, tails: bool = False) -> np.ndarray:
    """Of accuracies; with tails one network in twelve does not learn."""
    rng = np.random.default_rng((seed, 1))
    failed = 0.2 * (rng.random(count) < 0.08) if tails else 0.0
    return 0.7 + 0.01 * rng.normal(size=count) - failed


def named(found: AxisShares, axis: str) -> AxisShare:
    return next(each for each in (*found.axes, *found.together) if each.axis == axis)


# --- what was planted ------------------------------------------------------------------------


def test_one_axis_is_found_with_its_share() -> None:
    true = 0.02**2 * 2 / 9 / (0.02**2 * 2 / 9 + 0.01**2)  # a third of the networks have it
    held, others = [], []
    for seed in range(20):
        axes = drawn(seed)
        found = axis_shares(axes, (0.02 * is_one(axes, "b") + noise(seed, 90)).tolist())
        first = found.axes[0]
        assert (first.axis, first.values) == ("b", 3)
        assert first.verdict.startswith("matters")
        assert first.low <= first.share <= first.high
        assert found.explained == pytest.approx(true, abs=0.25)
        assert (found.pairs, found.networks) == (6, 90)
        held.append(first.low < true < first.high)
        others.append(any("matters" in each.verdict for each in found.axes[1:]))
    assert np.mean(held) >= 0.85
    assert np.mean(others) <= 0.1


def test_two_that_act_together_are_named_together() -> None:
    axes = drawn(1, 200)
    one, other = is_one(axes, "a"), is_one(axes, "c")
    found = axis_shares(axes, 0.03 * (one - 1 / 3) * (other - 1 / 3) * 3 + noise(1, 200))
    (pair,) = found.together
    assert pair.axis == "a × c"
    assert pair.low > 0
    assert pair.low < 0.8 < pair.high
    assert named(found, "a").share < 0.05
    assert "with c" in named(found, "a").verdict
    assert "with a" in named(found, "c").verdict
    assert "matter" not in named(found, "b").verdict


def test_what_only_comes_with_an_axis_has_no_share_of_its_own() -> None:
    rng = np.random.default_rng(2)
    axes = drawn(2, 300)
    follows = [v if rng.random() < 0.8 else w for v, w in zip(axes["a"], axes["b"], strict=True)]
    axes["b"] = follows
    found = axis_shares(axes, 0.03 * is_one(axes, "a") + noise(2, 300))
    assert named(found, "a").verdict == "matters"
    assert named(found, "b").alone > 0.2
    assert named(found, "b").share < 0.03
    assert named(found, "b").verdict.startswith(("explains no more", "cannot tell"))


def test_how_large_a_share_may_be_is_said_where_many_networks_show_none() -> None:
    axes = drawn(3, 400)
    found = axis_shares(axes, 0.02 * is_one(axes, "b") + noise(3, 400))
    row = named(found, "d")
    assert row.verdict == f"explains no more than {100 * row.high:.1f} %"
    little = axis_shares(axes, 0.05 * is_one(axes, "b") + 0.008 * is_one(axes, "d") + noise(3, 400))
    assert named(little, "d").verdict.startswith("matters little: no more than")


def called(
    seeds: Sequence[int], count: int, *, tails: bool
) -> tuple[float, float]:  # of axes, of pairs
    """How often some axis, and some pair, is called important where none is."""
    found = [
        axis_shares(drawn(seed, count), noise(seed, count, tails=tails).tolist()) for seed in seeds
    ]
    axes = [any("matters" in each.verdict for each in one.axes) for one in found]
    return float(np.mean(axes)), float(np.mean([bool(one.together) for one in found]))


@pytest.mark.thorough
def test_of_no_importance_nothing_is_called_important() -> None:
    axes, pairs = called(range(30), 60, tails=False)
    assert axes <= 0.1  # of all axes at once, alone or with another
    assert pairs <= axes


@pytest.mark.slow
@pytest.mark.parametrize("tails", [False, True])
@pytest.mark.parametrize("count", [40, 150])
def test_of_no_importance_one_study_in_twenty_calls_something_so(count: int, tails: bool) -> None:
    axes, pairs = called(range(300), count, tails=tails)
    assert axes <= 0.09  # of all axes at once; three standard errors above 0.05
    assert pairs <= axes


@cache
def searched() -> tuple[list[Architecture], dict[str, list[Value]]]:
    networks = [point for _, point in points(1000)]
    return networks, axis_values(networks)


def every_word(values: dict[str, list[Value]]) -> dict[str, np.ndarray]:
    """The share of each word, of every axis."""
    words = {
        name: sorted({word for each in mine for word in each}) for name, mine in values.items()
    }
    return {
        name: np.array([[each.get(word, 0.0) for word in words[name]] for each in mine])
        for name, mine in values.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("tails", [False, True])
@pytest.mark.parametrize("axis", ["block type", "dynamics"])
def test_intervals_hold_the_truth_in_a_real_space(axis: str, tails: bool) -> None:
    """Where values of axes come with one another, as rules and spaces have it."""
    networks, values = searched()
    word = {"block type": "prenorm", "dynamics": "static"}[axis]
    merit = 0.05 * np.array([each.get(word, 0.0) for each in values[axis]])
    model = AdditiveModel({n: c for n, c in every_word(values).items() if c.shape[1] > 1}, merit)
    variance = merit.var() + 0.01**2 + (0.2**2 * 0.08 * 0.92 if tails else 0)
    true = model.shares([axis])[0, 0] * merit.var(ddof=1) / variance
    held, false = [], []
    for seed in range(100):
        rows = np.random.default_rng(seed).choice(len(networks), 120, replace=False)
        here = {name: [each[row] for row in rows] for name, each in values.items()}
        found = axis_shares(here, (merit[rows] + noise(seed, 120, tails=tails)).tolist())
        row = named(found, axis)
        held.append(row.low <= true <= row.high)
        false.append(any("matters" in e.verdict for e in found.axes if e.axis != axis))
    assert 0.88 <= np.mean(held) <= 1
    assert np.mean(false) <= 0.12  # of nine axes and their pairs; three standard errors


# --- what cannot be told ---------------------------------------------------------------------


def test_what_cannot_be_told_is_said() -> None:
    axes = drawn(4, 90, tied=True)
    axes["e"] = [{"x": 1.0}] * 90
    axes["f"] = [{"x": 1.0}] * 88 + [{"y": 1.0}] * 2
    found = axis_shares(axes, noise(4, 90).tolist())
    assert named(found, "a").verdict == "cannot tell from d"
    assert named(found, "e").verdict == "the same throughout"
    assert named(found, "f").verdict == "cannot tell: fewer than 3 networks of any other value"
    assert all(math.isnan(named(found, axis).share) for axis in ("a", "e", "f"))
    assert found.axes[-1].axis in ("a", "b", "e", "f")  # last come those that cannot be told


def test_too_few_and_equal_accuracies_tell_nothing() -> None:
    few = axis_shares(drawn(5, 19), noise(5, 19).tolist())
    assert few.needed == 20
    assert {each.verdict for each in few.axes} == {
        "cannot tell: 19 networks of the 20 that it takes"
    }
    assert not math.isnan(few.axes[0].alone)
    equal = axis_shares(drawn(5), [0.5] * 90)
    assert {each.verdict for each in equal.axes} == {"cannot tell: all accuracies are equal"}
    assert math.isnan(equal.explained)
    none = axis_shares({"a": []}, [])
    assert (none.networks, none.axes[0].verdict) == (0, "the same throughout")


def test_without_chance_an_axis_explains_all_and_the_others_nothing() -> None:
    axes = drawn(6)
    found = axis_shares(axes, is_one(axes, "c").tolist())
    assert named(found, "c").share == pytest.approx(1)
    assert named(found, "c").verdict == "matters"
    assert all(each.share == pytest.approx(0) for each in found.axes[1:])
    assert not any("matter" in each.verdict for each in found.axes[1:])


def test_of_very_many_a_sample_is_looked_at() -> None:
    axes = {"a": drawn(7, MOST + 500)["a"]}
    found = axis_shares(axes, noise(7, MOST + 500).tolist())
    assert (found.networks, found.total) == (MOST, MOST + 500)
    assert found == axis_shares(axes, noise(7, MOST + 500).tolist())  # the same again


# --- a second implementation -----------------------------------------------------------------


def explained_by_hand(columns: Sequence[np.ndarray], y: np.ndarray) -> float:
    """The variance that least squares leave, over their degrees of freedom."""
    matrix = np.column_stack([np.ones(len(y)), *columns])
    left = y - matrix @ np.linalg.lstsq(matrix, y, rcond=None)[0]
    return float(left @ left) / (len(y) - int(np.linalg.matrix_rank(matrix)))


def test_a_share_is_what_its_definition_says() -> None:
    rng = np.random.default_rng(8)
    one, other = np.eye(3)[rng.integers(0, 3, 50)], np.eye(4)[rng.integers(0, 4, 50)]
    y = rng.normal(size=50) + one[:, 0] - other[:, 2]
    model = AdditiveModel({"a": one, "b": other}, y)
    total, whole = explained_by_hand([], y), explained_by_hand([one, other], y)
    shares = [
        (explained_by_hand([other], y) - whole) / total,
        (explained_by_hand([one], y) - whole) / total,
    ]
    assert model.shares(["a", "b"])[0] == pytest.approx(shares)
    assert model.explained() == pytest.approx(1 - whole / total)
    assert model.explained("b") == pytest.approx(1 - explained_by_hand([other], y) / total)
    cells = [one[:, [i]] * other[:, [j]] for i in range(3) for j in range(4)]
    more = (whole - explained_by_hand([one, other, *cells], y)) / total
    assert model.share_of_pair(("a", "b"))[0, 0] == pytest.approx(more)


def test_what_another_axis_refines_is_told_without_it() -> None:
    rng = np.random.default_rng(9)
    kernel = rng.integers(0, 3, 80)  # none, 3, 5
    columns = {"locality": np.eye(2)[(kernel > 0).astype(int)], "kernel size": np.eye(3)[kernel]}
    y = rng.normal(size=80) + 2 * (kernel > 0)
    free = AdditiveModel(columns, y)
    assert not free.is_of_its_own("locality")
    assert free.aliases("locality") == ["kernel size"]
    within = AdditiveModel(columns, y, {"kernel size": "locality"})
    assert within.is_of_its_own("locality")
    assert within.shares(["locality"])[0, 0] == pytest.approx(free.explained("locality"))
    assert within.p_of_axis("locality") == pytest.approx(0.001)
    assert within.shares(["kernel size"])[0] == pytest.approx(free.shares(["kernel size"])[0])


PLANTED: dict[str, Callable[[Architecture], float]] = {
    "block type": lambda network: 0.05 * (network.block_type == "prenorm"),
    "depth": lambda network: 0.02 * network.depth,
    "dynamics": lambda network: (
        0.08 * np.mean([mixer.dynamics == "static" for _, _, mixer in network.block_mixers()])
    ),
}


@pytest.mark.parametrize("axis", PLANTED)
def test_axes_of_real_networks_are_told(axis: str) -> None:
    networks = [point for _, point in points(100)]
    merit = [PLANTED[axis](network) for network in networks]
    found = axis_shares(axis_values(networks), (np.array(merit) + noise(10, 100)).tolist())
    assert found.axes[0].axis == axis
    assert found.axes[0].verdict == "matters"
    assert sum("matters" in each.verdict for each in found.axes) == 1
