"""The line, its error on what it has not seen, and estimates of parts that nobody measured."""

from typing import Any

import numpy as np
import pytest

from space import Architecture, InputError
from tests.space.spaces import small
from tests.support.made_up_meter import network_ms, part_ms
from trainers.latency import PredictionError, Predictor, parts_of, parts_of_space
from trainers.latency.predictor import theil_sen


def networks(number: int, seed: int = 0) -> list[Architecture]:
    return list(small().distinct(number, np.random.default_rng(seed)))


def table() -> dict:
    return {part: part_ms(part) for part in parts_of_space(small())}


def pairs(found: list[Architecture]) -> list[tuple[Architecture, float]]:
    return [(each, network_ms(each)) for each in found]


def test_the_sum_is_over_the_parts() -> None:
    (network,) = networks(1)
    by_hand = sum(part_ms(part) * n for part, n in parts_of(network).items())
    assert Predictor(table())(network) == pytest.approx(by_hand)


def test_the_line_is_found_and_its_error_is_that_on_others() -> None:
    found = pairs(networks(40))
    line = Predictor(table()).fitted(found[:20], found[20:])
    assert line.slope == pytest.approx(1.1, rel=0.1)
    assert line.error is not None
    errors = [abs(line(network) / ms - 1) for network, ms in found[20:]]
    assert line.error.largest == pytest.approx(max(errors))
    assert line.error.median == pytest.approx(np.median(errors))
    assert line.error.n == 20
    assert line.error.largest < 0.12
    assert line.margin == max(1.5 * line.error.largest, 0.02)
    assert "on 20 held-out networks" in line.words


def test_one_wild_measurement_does_not_bend_the_line() -> None:
    found = pairs(networks(20))
    straight = Predictor(table()).fitted(found[:12], found[12:])
    bent = [(found[0][0], 9 * found[0][1]), *found[1:12]]
    robust = Predictor(table()).fitted(bent, found[12:])
    for network, _ in found:
        assert robust(network) == pytest.approx(straight(network), rel=0.05)


def test_theil_sen_of_equal_sums_says_nothing_of_a_slope() -> None:
    assert theil_sen([2.0, 2.0, 2.0], [3.0, 3.2, 2.9]) == (1.0, pytest.approx(1.0))
    assert theil_sen([1.0, 2.0], [5.0, 1.0])[0] == 1.0
    assert theil_sen([1.0, 2.0, 4.0], [3.0, 5.0, 9.0]) == (2.0, pytest.approx(1.0))
    assert theil_sen([1.0, 2.0, 4.0], [3.0, 3.5, 4.5]) == (0.5, pytest.approx(2.5))


def test_a_line_needs_networks() -> None:
    found = pairs(networks(3))
    for fitted, held_out in ((found[:1], found[1:]), (found, [])):
        with pytest.raises(ValueError, match="a line needs two"):
            Predictor(table()).fitted(fitted, held_out)


def test_a_part_that_was_not_measured_is_estimated_from_its_like() -> None:
    """Where time is in proportion to work, leaving half of the table out changes little."""
    from trainers.latency.predictor import _macs

    every = {part: 1e-6 * _macs(part) for part in parts_of_space(small())}
    half = dict(list(every.items())[::2])
    predictor = Predictor(half)
    for network in networks(20):
        exact = sum(every[part] * n for part, n in parts_of(network).items())
        assert predictor(network) == pytest.approx(exact, rel=0.01)
    assert sum(predictor.estimated(network) for network in networks(20)) > 0


def test_where_calls_are_what_costs_work_does_not_scale_the_estimate() -> None:
    half = dict.fromkeys(list(parts_of_space(small()))[::2], 0.3)
    predictor = Predictor(half)
    for network in networks(20):
        assert predictor(network) == pytest.approx(0.3 * sum(parts_of(network).values()))


def test_nothing_is_estimated_from_nothing() -> None:
    with pytest.raises(ValueError, match="no measured part"):
        Predictor({})(networks(1)[0])


def test_a_predictor_is_read_back() -> None:
    found = pairs(networks(12))
    line = Predictor(table()).fitted(found[:8], found[8:])
    again = Predictor.from_dict(line.to_dict(), table())
    assert [again(network) for network, _ in found] == [line(network) for network, _ in found]
    assert again.error == line.error


def test_the_error_of_predictions() -> None:
    error = PredictionError.of([1.1, 0.9, 2.0], [1.0, 1.0, 2.0])
    assert (error.n, error.largest, error.bias) == (3, pytest.approx(0.1), 0.0)


@pytest.mark.parametrize(
    "change",
    [
        {"error": {"n": 3}},
        {"error": 3},
        {"intercept_ms": "much"},
        {"slope": None},
        {"fitted_on": "x"},
        {"slope": ...},
    ],
    ids=str,
)
def test_what_is_no_predictor_is_refused(change: dict[str, Any]) -> None:
    plain = {"intercept_ms": 1.0, "slope": 2.0, "fitted_on": 3, "error": None} | change
    values = {name: value for name, value in plain.items() if value is not ...}
    with pytest.raises(InputError, match=r"^predictor: is none \((Type|Key|Value)Error\("):
        Predictor.from_dict(values, {})


def test_words_of_a_predictor() -> None:
    bare = Predictor(dict.fromkeys(list(parts_of_space(small()))[:3], 1.0), fitted_on=4)
    start = "predicted from 3 measured parts, a line through 4 measured networks; error "
    assert bare.words == f"{start}unknown"
    assert bare.margin == 0.5
    bare.error = PredictionError(1, 0.0123, 0.2, 0.0)
    said = "median 1.2%, largest 20.0%, on 1 held-out network"
    assert bare.words == start + said
    assert bare.error.words == said
    assert bare.margin == pytest.approx(0.3)
    bare.error = PredictionError(2, 0.0, 0.001, 0.0)
    assert bare.margin == 0.02
    assert bare.error.words.endswith("on 2 held-out networks")


def test_nothing_is_predicted_below_zero() -> None:
    (network,) = networks(1)
    assert Predictor(table(), intercept=-1e9)(network) == 1e-6


def test_parts_that_were_not_measured_are_counted() -> None:
    (network,) = networks(1)
    needed = list(parts_of(network))
    assert Predictor(dict.fromkeys(needed[1:], 1.0)).estimated(network) == 1
    assert Predictor(dict.fromkeys(needed[:1], 1.0)).estimated(network) == len(needed) - 1
    assert Predictor(dict.fromkeys(needed, 1.0)).estimated(network) == 0
