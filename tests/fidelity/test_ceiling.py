"""The ceiling that seeds set, against results whose luck is known."""

import numpy as np
import pytest

from search.fidelity import Agreement, agreement, ceiling
from search.fidelity.ceiling import in_top_decile, of_a_perfect_proxy
from search.fidelity.pairs import Floats
from tests.fidelity.planted import covered, tau_of


def trained(seed: int, number: int, luck: float) -> tuple[Floats, Floats, Floats]:
    """Means of architectures, and two trainings of each."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=number)
    return means, *(means + luck * rng.normal(size=(2, number)))


@pytest.mark.parametrize("luck", [0.2, 0.5, 1.0])
def test_a_proxy_that_knows_every_mean_reaches_the_ceiling(luck: float) -> None:
    means, first, second = trained(0, 2000, luck)
    found = ceiling(first, second)
    reached = agreement(means, first).tau
    assert found.perfect == pytest.approx(reached, abs=0.03)
    assert found.perfect == pytest.approx(tau_of((1 / (1 + luck**2)) ** 0.5), abs=0.03)
    assert found.two_seeds.tau is not None
    assert found.perfect is not None
    assert found.two_seeds.tau < found.perfect
    assert (found.n, found.how) == (2000, "pairs")


def test_its_interval_holds_the_truth() -> None:
    truth = tau_of((1 / 1.25) ** 0.5)

    def interval(seed: int) -> tuple[float | None, float | None]:
        found = ceiling(*trained(seed, 40, 0.5)[1:])
        return found.low, found.high

    assert 0.90 <= covered(truth, interval) <= 0.99


def test_where_pairs_are_few_the_deviation_tells() -> None:
    means, first, second = trained(1, 300, 0.5)
    again = np.where(np.arange(300) < 5, second, np.nan)
    found = ceiling(first, again, deviation=0.5)
    assert found.two_seeds == Agreement(5)
    assert (found.n, found.how, found.low) == (5, "deviation", None)
    assert found.perfect == pytest.approx(agreement(means, first).tau, abs=0.03)
    assert ceiling(first, again).perfect is None
    assert ceiling(first[:9], again[:9], deviation=0.5).perfect is None


def test_without_luck_nothing_is_between_a_proxy_and_one() -> None:
    means = trained(2, 50, 0.0)[0]
    assert ceiling(means, means).perfect == pytest.approx(1)
    assert ceiling(means, np.full(50, np.nan), deviation=0.0).perfect == pytest.approx(1)
    assert of_a_perfect_proxy(-0.2) == 0


def test_the_best_tenth_has_all_that_equal_the_last_of_it() -> None:
    values = np.array([3.0] * 4 + [2.0] * 3 + [1.0] * 13)
    assert in_top_decile(values).sum() == 4
    assert in_top_decile(np.arange(25.0)).sum() == 3
    assert in_top_decile(np.zeros(0)).shape == (0,)


def test_within_the_best_tenth_it_is_lower() -> None:
    found = ceiling(*trained(3, 1000, 0.3)[1:])
    assert found.top_decile.tau is not None
    assert found.two_seeds.tau is not None
    assert found.top_decile.n == 100
    assert found.top_decile.tau < found.two_seeds.tau - 0.2
