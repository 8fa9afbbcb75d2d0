"""What choosing by a proxy costs, against all sets written out and against laws that are known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.fidelity import top_picks
from search.fidelity.pairs import Floats
from search.fidelity.top_picks import _Sets
from tests.fidelity.planted import SIMULATIONS, pair

SETS = 10_000


def of_all_sets(proxy: Floats, full: Floats, size: int, k: int) -> tuple[float, float]:
    """Mean recall and regret over every set, without ties."""
    recalls, regrets = [], []
    for members in itertools.combinations(range(len(full)), size):
        chosen = sorted(members, key=lambda i: -proxy[i])[:k]
        best = sorted(members, key=lambda i: -full[i])[:k]
        recalls.append(len({*chosen} & {*best}) / k)
        regrets.append(full[best[0]] - max(full[i] for i in chosen))
    return float(np.mean(recalls)), float(np.mean(regrets))


@pytest.mark.parametrize("k", [1, 2])
def test_figures_are_means_over_all_sets(k: int) -> None:
    proxy, full = pair(5, 14, 0.6)
    sets = _Sets(proxy, full, 4, SETS)
    found = sets.mean(sets.recall(k))[0], sets.mean(sets.regret(k))[0]
    assert found == pytest.approx(of_all_sets(proxy, full, 4, k), abs=0.02)


def test_ties_are_drawn_by_lot() -> None:
    """A proxy that ties all is a choice by lot: the mean of all orders of a strict one."""
    full = np.arange(20.0)
    sets = _Sets(np.ones(20), full, 5, SETS)
    assert sets.mean(sets.recall(1))[0] == pytest.approx(1 / 5, abs=0.02)
    assert sets.mean(sets.recall(2))[0] == pytest.approx(2 / 5, abs=0.02)
    # Of 5 of 20 the highest is 5/6 of the way up, one by lot in the middle, in steps of 21.
    assert sets.mean(sets.regret(1))[0] == pytest.approx(21 * 5 / 6 - 21 / 2, abs=0.1)
    tied = _Sets(full, np.ones(20), 5, SETS)
    assert (tied.regret(1) == 0).all()
    assert tied.mean(tied.recall(1))[0] == pytest.approx(1 / 5, abs=0.02)


def test_the_error_is_that_without_each_architecture() -> None:
    """Of a mean over sets of one the jackknife is the standard error of a mean, exactly known."""
    proxy, full = pair(2, 40, 0.5)
    sets = _Sets(proxy, full, 1, SETS)
    mean, error = sets.mean(sets._full.max(1))
    assert mean == pytest.approx(full.mean())
    assert error == pytest.approx(full.std(ddof=1) / math.sqrt(40), rel=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 60), st.floats(-1, 1), st.integers(0, 1000))
def test_more_picks_cost_less_and_figures_keep_their_ranges(
    number: int, correlation: float, seed: int
) -> None:
    found = top_picks(*pair(seed, number, correlation), sets=500)
    assert {each.of for each in found} == {number // 4}
    assert all(2 * each.k <= each.of for each in found)
    for each in found:
        assert 0 <= each.recall_low <= each.recall <= each.recall_high <= 1
        assert 0 <= each.regret_low <= each.regret <= each.regret_high
    regrets = [each.regret for each in found]
    assert regrets == sorted(regrets, reverse=True)


def test_a_perfect_proxy_finds_all_and_loses_nothing_yet_not_for_certain() -> None:
    full = pair(0, 200, 0.0)[1]
    for each in top_picks(full, full, sets=1000):
        assert (each.recall, each.regret, each.recall_high, each.regret_low) == (1, 0, 1, 0)
        assert each.recall_low < 1
        assert each.regret_high > 0


def test_of_few_little_is_told_and_sets_have_a_hundred_at_most() -> None:
    assert top_picks(*pair(0, 19, 0.9)) == ()
    picks = [(each.k, each.of) for each in top_picks(*pair(0, 120, 0.9), sets=100)]
    assert picks == [(1, 30), (5, 30), (10, 30)]
    assert [each.k for each in top_picks(*pair(0, 24, 0.9), sets=100)] == [1]
    assert [each.of for each in top_picks(*pair(0, 500, 0.9), sets=100)] == [100] * 3


def truths(size: int, correlation: float, k: int) -> tuple[float, float]:
    """Recall and regret of one set, over many."""
    sets = 8000
    proxies, fulls = (each.reshape(sets, size) for each in pair(999, sets * size, correlation))
    chosen, best = (np.argsort(-each, axis=1)[:, :k] for each in (proxies, fulls))
    recall = (chosen[:, :, None] == best[:, None]).any(2).mean()
    regret = fulls.max(1) - np.take_along_axis(fulls, chosen, axis=1).max(1)
    return float(recall), float(regret.mean())


@pytest.mark.parametrize(
    ("number", "correlation"),
    [(24, 0.3), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((60, 0.7), (200, 0.5)))],
)
def test_intervals_hold_what_is_true_of_a_known_law(number: int, correlation: float) -> None:
    """Rather too often than too seldom: what hardly any set shows is not told."""
    every = [top_picks(*pair(seed, number, correlation), 1000) for seed in range(SIMULATIONS)]
    for place, pick in enumerate(every[0]):
        recall, regret = truths(pick.of, correlation, pick.k)
        found = [picks[place] for picks in every]
        assert np.mean([each.recall_low <= recall <= each.recall_high for each in found]) >= 0.90
        assert np.mean([each.regret_low <= regret <= each.regret_high for each in found]) >= 0.90


def test_intervals_grow_narrow_with_the_number_of_architectures() -> None:
    few, many = (top_picks(*pair(3, number, 0.7), sets=5000)[0] for number in (400, 4000))
    assert (few.of, many.of) == (100, 100)
    assert many.regret_high / many.regret_low < 1.7 < few.regret_high / few.regret_low
    assert many.recall_high - many.recall_low < (few.recall_high - few.recall_low) / 2
