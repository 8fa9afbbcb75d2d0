"""A row for every proxy, of results in which everything was put by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from search.fidelity import FullResults, LedgerRow, Proxy
from search.fidelity import ledger as every_row
from space.errors import InputError
from tests.fidelity.planted import pair, results, tau_of

SETS = 500
"""Fewer than there are by default: nothing here is about the picks."""


def ledger(results: FullResults, proxies: Sequence[Proxy]) -> list[LedgerRow]:
    return every_row(results, proxies, SETS)


def test_every_proxy_has_a_row_and_sizes_come_last() -> None:
    proxy, full = pair(0, 300, 0.8)
    rows = ledger(results(full), [Proxy("a", proxy, 0.3), Proxy("loss", -proxy, None, True)])
    assert [row.proxy for row in rows] == ["a", "loss", "params", "macs"]
    first, loss, params, _ = rows
    assert loss.overall == first.overall
    assert first.overall.tau == pytest.approx(tau_of(0.8), abs=0.06)
    assert (first.n, first.cost, params.cost) == (300, 0.3, 0.0)
    assert first.top_decile.n == 30
    assert first.top_decile.tau is not None
    assert first.top_decile.tau < (first.overall.tau or 0)
    assert (params.without_size, params.over_size, params.beats_size) == (None, None, "")
    assert [pick.k for pick in first.picks] == [1, 5, 10]


def test_what_follows_a_family_says_nothing_within_it() -> None:
    rng = np.random.default_rng(1)
    family = np.arange(300) % 5
    full = family + rng.normal(size=300)
    row = ledger(
        results(full, families=[str(each) for each in family]),
        [Proxy("family's mean", family + 0.001 * rng.normal(size=300))],
    )[0]
    assert row.within.tau == pytest.approx(0, abs=0.07)
    assert row.between.tau is not None
    assert row.overall.tau is not None
    assert row.between.tau > row.overall.tau > 0.4


def test_what_is_size_in_another_dress_does_not_beat_it() -> None:
    rng = np.random.default_rng(2)
    size = rng.normal(size=200)
    full = size + rng.normal(size=200)
    params = np.exp(12 - size)  # the smaller the better: an order as well
    merit = full + rng.normal(size=200) / 3
    made = results(full, params=params, macs=rng.uniform(1, 2, 200))
    same, noisy, better = ledger(
        made,
        [
            Proxy("same", -params),
            Proxy("noisy", size + 2 * rng.normal(size=200)),
            Proxy("better", merit),
        ],
    )[:3]
    assert [row.beats_size for row in (same, noisy, better)] == ["cannot tell", "no", "yes"]
    assert better.over_size is not None
    assert better.over_size.low > 0


def test_what_is_not_known_of_all_counts_where_it_is() -> None:
    proxy, full = pair(3, 60, 0.9)
    gone = np.where(np.arange(60) < 20, np.nan, proxy)
    row = ledger(results(full), [Proxy("a", gone)])[0]
    assert row.n == row.overall.n == 40
    assert row == ledger(results(full).only(np.arange(20, 60)), [Proxy("a", proxy[20:])])[0]


def test_another_seed_is_agreed_with_less_than_the_own_training() -> None:
    rng = np.random.default_rng(4)
    means, luck, other = rng.normal(size=(3, 200))
    full, again = means + 0.5 * luck, means + 0.5 * other
    row = ledger(
        results(full, again=np.where(np.arange(200) < 80, again, np.nan)),
        [Proxy("an early epoch", full + 0.1 * rng.normal(size=200))],
    )[0]
    assert row.other_seed.n == 80
    assert row.other_seed.tau is not None
    assert row.overall.tau is not None
    assert row.other_seed.tau < row.overall.tau - 0.2


def test_few_results_tell_nothing_and_nothing_breaks() -> None:
    for number in (0, 1, 9):
        proxy, full = pair(5, number, 0.9)
        for row in ledger(results(full), [Proxy("a", proxy)]):
            assert row.overall.tau is None
            assert row.spearman is None
            assert row.picks == ()
            assert row.overall.n == (0 if number == 1 else number)  # one alone is in no pair
    assert row.beats_size == ""


def test_lengths_that_do_not_fit_are_refused() -> None:
    made = results(np.arange(12.0))
    with pytest.raises(InputError, match=r"b: must have 12 values; got 3"):
        ledger(made, [Proxy("a", np.zeros(12)), Proxy("b", np.zeros(3))])
    with pytest.raises(InputError, match="families: must have a value for each of 12"):
        FullResults(made.accuracy, ["one"], made.params, made.macs, made.again)
    with pytest.raises(InputError, match="accuracy: must be finite"):
        results(np.array([0.5, np.nan]))
