"""The split: stratified, disjoint, stable, and limited evenly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from space.errors import InputError
from trainers.data.split import split_train_validation

LABELS = np.repeat(np.arange(10), 100)


@given(
    labels=arrays(np.int64, st.integers(20, 200), elements=st.integers(0, 4)),
    seed=st.integers(0, 1000),
    fraction=st.floats(0.1, 0.9),
)
def test_parts_are_disjoint_complete_and_stratified(
    labels: np.ndarray, seed: int, fraction: float
) -> None:
    try:
        split = split_train_validation(labels, seed=seed, validation_fraction=fraction)
    except InputError:
        return
    both = np.concatenate([split.train, split.validation])
    assert np.array_equal(np.sort(both), np.arange(len(labels)))
    for label in np.unique(labels):
        held_out = (labels[split.validation] == label).sum()
        assert held_out == round((labels == label).sum() * fraction)


@given(limit=st.integers(2, 800))
def test_limits_keep_the_classes_even(limit: int) -> None:
    split = split_train_validation(LABELS, seed=1, validation_fraction=0.2, limit_train=limit)
    counts = np.bincount(LABELS[split.train], minlength=10)
    assert len(split.train) == limit
    assert counts.max() - counts.min() <= 1


def test_the_seed_and_the_limits_decide_the_hash() -> None:
    def hash_of(**changes: int) -> str:
        options = {"seed": 0} | changes
        return split_train_validation(LABELS, validation_fraction=0.2, **options).hash

    assert hash_of() == hash_of()
    others = {hash_of(seed=1), hash_of(limit_train=100), hash_of(limit_validation=100)}
    assert len({hash_of(), *others}) == 4


def test_the_split_is_the_same_on_every_machine() -> None:
    split = split_train_validation(LABELS, seed=7, validation_fraction=0.2)
    assert split.hash == "557a313e4f4924ed"


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(InputError, match=r"leave 0 for validation"):
        split_train_validation(np.arange(5), seed=0, validation_fraction=0.1)
