"""What is left of a proxy when the size of networks is taken out of it."""

import numpy as np
import pytest

from search.fidelity import Agreement, agreement, without_size
from search.fidelity.pairs import Floats
from search.fidelity.without_size import residual
from tests.fidelity.planted import covered


def sized(seed: int, number: int, own: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Proxy, full results, params and MACs: both follow size, and share `own` beside it."""
    rng = np.random.default_rng(seed)
    size, other, merit, *noises = rng.normal(size=(5, number))
    full = size + 0.5 * other + merit + 0.3 * noises[0]
    proxy = size + 0.5 * other + own * merit + noises[1]
    return proxy, full, np.exp(10 + size), np.exp(14 + other)


def test_a_proxy_of_size_alone_says_nothing_without_it() -> None:
    proxy, full, params, macs = sized(0, 400, 0.0)
    plain, left = agreement(proxy, full).tau, without_size(proxy, full, params, macs)
    assert plain is not None
    assert plain > 0.35
    assert left.tau == pytest.approx(0, abs=0.08)
    assert left.low is not None
    assert left.high is not None
    assert left.low < 0 < left.high


def test_what_a_proxy_knows_beside_size_stays() -> None:
    left = without_size(*sized(0, 400, 1.0))
    assert left.tau is not None
    assert left.tau > 0.3


@pytest.mark.parametrize("own", [0.0, 1.0])
@pytest.mark.parametrize("number", [15, 60])
def test_intervals_hold_what_many_networks_show(own: float, number: int) -> None:
    truth = without_size(*sized(999, 4000, own)).tau
    assert truth is not None

    def interval(seed: int) -> tuple[float | None, float | None]:
        found = without_size(*sized(seed, number, own))
        return found.low, found.high

    assert 0.90 <= covered(truth, interval) <= 0.99


def test_equals_of_one_size_stay_equal() -> None:
    proxy = np.repeat(np.arange(10.0), 4)
    sizes = np.log(np.repeat(np.arange(20.0) + 5, 2)[None].repeat(2, 0))
    left = residual(proxy, sizes)
    assert len(set(left.tolist())) <= 20


def test_what_size_explains_wholly_cannot_be_told() -> None:
    params = np.exp(np.arange(30.0))
    full = np.random.default_rng(0).normal(size=30)
    assert without_size(np.arange(30.0), full, params, params) == Agreement(30)
