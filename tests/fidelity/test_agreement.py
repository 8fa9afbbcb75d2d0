"""Kendall's tau against its definition, SciPy, and laws whose tau is known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr

from search.fidelity import agreement, difference, spearman
from search.fidelity.agreement import Agreement, agreement_of, mean_ranks
from search.fidelity.pairs import MOST, Floats, count_pairs, drawn
from tests.fidelity.planted import covered, pair, tau_of

FEW = st.integers(0, 4).map(float)  # many ties
ROWS = st.lists(st.tuples(FEW, FEW, FEW), min_size=12, max_size=30)
COLUMNS = ROWS.map(lambda rows: tuple(np.array(rows).T))
PROPERTY = settings(max_examples=20, deadline=None)


def slow_tau(proxy: Floats, full: Floats, allowed: Floats | None = None) -> float:
    """Tau-b over allowed pairs, as it is defined."""
    balance = ordered = full_ordered = 0
    for i, j in itertools.combinations(range(len(full)), 2):
        if allowed is not None and not allowed[i, j]:
            continue
        one, other = np.sign(proxy[i] - proxy[j]), np.sign(full[i] - full[j])
        balance += one * other
        ordered += abs(one)
        full_ordered += abs(other)
    return balance / math.sqrt(ordered * full_ordered) if ordered and full_ordered else math.nan


@PROPERTY
@given(COLUMNS)
def test_tau_is_that_of_its_definition_and_of_scipy(columns: tuple[Floats, ...]) -> None:
    proxy, full, families = columns
    counts, within = count_pairs(proxy, full, [str(each) for each in families])
    same = families[:, None] == families
    for found, expected in (
        (counts.tau, slow_tau(proxy, full)),
        (within.tau, slow_tau(proxy, full, same)),
        ((counts - within).tau, slow_tau(proxy, full, ~same)),
        (counts.tau, float(kendalltau(proxy, full).statistic)),
    ):
        assert found == pytest.approx(expected, nan_ok=True)


@PROPERTY
@given(COLUMNS)
def test_without_each_point_it_is_the_tau_of_the_others(columns: tuple[Floats, ...]) -> None:
    proxy, full, _ = columns
    found = count_pairs(proxy, full)[0].without_each
    for place in range(len(full)):
        one, other = (np.delete(each, place) for each in (proxy, full))
        assert found[place] == pytest.approx(count_pairs(one, other)[0].tau, nan_ok=True)


@PROPERTY
@given(COLUMNS)
def test_ties_are_counted_as_shares_of_the_pairs(columns: tuple[Floats, ...]) -> None:
    proxy, full, _ = columns
    pairs = list(itertools.combinations(range(len(full)), 2))
    shares = [np.mean([each[i] == each[j] for i, j in pairs]) for each in (proxy, full)]
    assert count_pairs(proxy, full)[0].tied == pytest.approx(tuple(shares))


@PROPERTY
@given(COLUMNS)
def test_turning_or_bending_a_measure_turns_or_keeps_what_is_said(
    columns: tuple[Floats, ...],
) -> None:
    proxy, full, _ = columns
    found, turned, bent = (agreement(each, full) for each in (proxy, -proxy, np.exp(proxy)))
    assert bent == found
    if found.tau is None:
        assert turned.tau is None
        return
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.tau <= found.high <= 1
    assert (turned.tau, turned.low) == pytest.approx((-found.tau, -found.high))


@PROPERTY
@given(COLUMNS)
def test_ranks_are_those_of_scipy(columns: tuple[Floats, ...]) -> None:
    proxy, full, _ = columns
    assert mean_ranks(proxy) == pytest.approx(rankdata(proxy))
    found = spearman(proxy, full)
    if np.ptp(proxy) == 0 or np.ptp(full) == 0:
        assert found is None
    else:
        assert found == pytest.approx(float(spearmanr(proxy, full).statistic))


def test_of_few_points_and_of_what_orders_nothing_nothing_is_told() -> None:
    proxy, full = pair(0, 9, 0.9)
    assert agreement(proxy, full) == Agreement(9)
    assert spearman(proxy, full) is None
    level = np.ones(30)
    assert agreement(level, pair(0, 30, 0.9)[1]) == Agreement(30)
    assert agreement(np.zeros(0), np.zeros(0)) == Agreement(0)


def test_who_is_alone_in_a_family_is_in_no_pair_within_one() -> None:
    proxy, full = pair(1, 30, 0.9)
    families = ["one"] * 12 + [f"alone {place}" for place in range(18)]
    _, within = count_pairs(proxy, full, families)
    assert agreement_of(within).n == 12


@pytest.mark.parametrize("number", [10, 40])
def test_perfect_agreement_of_few_is_no_certainty(number: int) -> None:
    values = np.arange(number, dtype=float)
    found = agreement(values, values)
    assert found.tau == 1
    assert found.low is not None
    assert found.low == pytest.approx(1 - 6 / math.comb(number, 2))
    assert found.high == 1
    mirrored = agreement(-values, values)
    assert (mirrored.low, mirrored.high) == (-1, -found.low)


def test_of_very_many_a_part_is_drawn_always_the_same() -> None:
    assert drawn(MOST).tolist() == list(range(MOST))
    found = drawn(5 * MOST)
    assert len(set(found.tolist())) == MOST
    assert (found == drawn(5 * MOST)).all()


@pytest.mark.parametrize("number", [12, 60])
@pytest.mark.parametrize("correlation", [0.0, 0.6, -0.95])
def test_intervals_hold_the_tau_of_a_known_law(number: int, correlation: float) -> None:
    def interval(seed: int) -> tuple[float | None, float | None]:
        found = agreement(*pair(seed, number, correlation))
        return found.low, found.high

    assert 0.90 <= covered(tau_of(correlation), interval) <= 0.99 + 0.01 * (number < 20)


def test_intervals_hold_under_ties() -> None:
    def rounded(seed: int, number: int) -> Agreement:
        proxy, full = pair(seed, number, 0.7)
        return agreement(np.round(proxy), np.round(full))

    truth = rounded(999, MOST).tau
    assert truth is not None
    found = covered(truth, lambda seed: ((a := rounded(seed, 50)).low, a.high))
    assert 0.90 <= found <= 0.99


def two_proxies(seed: int, number: int, gain: float) -> tuple[Floats, Floats, Floats]:
    """Proxies with correlations 0.6 + gain and 0.6 that share their errors in part."""
    rng = np.random.default_rng(seed)
    full, shared, own, other = rng.normal(size=(4, number))
    noises = ((shared + own) / math.sqrt(2), (shared + other) / math.sqrt(2))
    better, base = (
        rho * full + math.sqrt(1 - rho**2) * noise
        for rho, noise in zip((0.6 + gain, 0.6), noises, strict=True)
    )
    return better, base, full


@pytest.mark.parametrize("gain", [0.0, 0.2])
def test_the_interval_of_a_difference_holds_it(gain: float) -> None:
    def interval(seed: int) -> tuple[float | None, float | None]:
        better, base, full = two_proxies(seed, 60, gain)
        found = difference(count_pairs(better, full)[0], count_pairs(base, full)[0])
        assert found is not None
        return found.low, found.high

    assert 0.90 <= covered(tau_of(0.6 + gain) - tau_of(0.6), interval) <= 0.99


def test_a_falling_order_is_held_against_as_a_rising_one() -> None:
    better, base, full = two_proxies(3, 80, 0.2)
    counts = [count_pairs(each, full)[0] for each in (better, base, -base)]
    rising, falling = (difference(counts[0], each) for each in counts[1:])
    assert rising is not None
    assert falling is not None
    assert (rising.difference, rising.low) == pytest.approx((falling.difference, falling.low))
    assert rising.verdict == "yes"
    backwards = difference(counts[1], counts[0])
    assert backwards is not None
    assert backwards.verdict == "no"
    same = difference(counts[0], counts[0])
    assert same is not None
    assert same.verdict == "cannot tell"
    assert difference(*(count_pairs(each[:9], full[:9])[0] for each in (better, base))) is None
