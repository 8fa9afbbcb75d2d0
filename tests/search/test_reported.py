"""What a user's own training may report: anything at all."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search.driver.assignment import EPOCH_METRICS, WrongReport, plain_epoch
from trainers import Cause, EpochResult, classify


def test_an_epoch_of_ours_is_as_it_was() -> None:
    result = EpochResult(3, 1.5, 1.25, 0.5, 0.1, 2.0, 100.0)
    plain = plain_epoch(result)
    assert plain == {"epoch": 3} | {name: getattr(result, name) for name in EPOCH_METRICS}


@pytest.mark.parametrize(
    "value", [np.float32(0.5), np.array(0.5), torch.tensor(0.5), np.array([0.5])]
)
def test_scalars_of_numpy_and_torch_are_numbers(value: Any) -> None:
    plain = plain_epoch({"epoch": np.int64(1), "validation_accuracy": value})
    assert plain["validation_accuracy"] == 0.5
    assert type(plain["validation_accuracy"]) is float
    assert type(plain["epoch"]) is int


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, torch.tensor(math.nan)])
def test_what_is_not_finite_is_no_metric(value: Any) -> None:
    assert plain_epoch({"epoch": 1, "validation_accuracy": value})["validation_accuracy"] is None


@pytest.mark.parametrize("value", ["0.9", "good", b"1", True, [], {}, torch.zeros(2), object()])
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(
        WrongReport, match="validation_accuracy of epoch 2 must be a number"
    ) as error:
        plain_epoch({"epoch": 2, "validation_accuracy": value})
    assert classify(error.value).cause == Cause.CODE


@pytest.mark.parametrize("epoch", [None, 0, -1, 1.5, "1", True, math.nan, 10**12])
def test_an_epoch_needs_its_number(epoch: Any) -> None:
    with pytest.raises(WrongReport, match="epoch must be a whole number from 1"):
        plain_epoch({"epoch": epoch, "validation_accuracy": 0.5})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["epoch", "extra", *EPOCH_METRICS]), anything))
def test_whatever_comes_is_finite_numbers_or_refused(values: dict[str, Any]) -> None:
    try:
        plain = plain_epoch(values)
    except WrongReport:
        return
    assert set(plain) == {"epoch", *EPOCH_METRICS}
    assert all(v is None or math.isfinite(v) for v in plain.values())
