"""The split: stratified, disjoint, stable, and limited evenly."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from space.errors import InputError
from trainers.data.split import held_out_of, split_train_validation

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
    sizes = np.unique(labels, return_counts=True)[1]
    # What classes at a bound take or leave, the others give or get.
    bound = ((sizes * fraction < 1) | (sizes * fraction > sizes - 1)).sum()
    for label in np.unique(labels):
        held_out, size = (labels[split.validation] == label).sum(), (labels == label).sum()
        assert abs(held_out - size * fraction) <= 1 + bound
        assert size == 1 or len(split.validation) < len(np.unique(labels)) or 0 < held_out < size
        assert size > 1 or held_out == 0
    assert split.validation.size == min(round(len(labels) * fraction), (sizes - 1).sum())


@given(
    sizes=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 99),
)
def test_no_other_whole_numbers_are_nearer_to_the_shares(
    sizes: list[int], fraction: float, seed: int
) -> None:
    claims = np.array(sizes) * fraction
    total = min(round(sum(sizes) * fraction), sum(sizes) - len(sizes))
    allowed = [
        np.array(each)
        for each in itertools.product(*(range(size) for size in sizes))
        if sum(each) == total
    ]
    lacking = [sum(n == 0 < size - 1 for n, size in zip(a, sizes, strict=True)) for a in allowed]
    best = min(
        ((a - claims) ** 2).sum()
        for a, lacks in zip(allowed, lacking, strict=True)
        if lacks == min(lacking)
    )
    generator = np.random.default_rng(seed)
    given_to = held_out_of(np.array(sizes), fraction, generator)
    assert given_to.sum() == total
    assert ((given_to - claims) ** 2).sum() == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("size", [5, 20, 25])
def test_a_small_share_of_small_classes_is_kept_in_total(size: int) -> None:
    labels = np.repeat(np.arange(100), size)
    split = split_train_validation(labels, seed=0, validation_fraction=0.02)
    assert split.validation.size == round(2 * size)
    assert len(set(labels[split.validation])) == split.validation.size


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


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        (5, {}, ["leave 0 for validation; at least 1 needed"]),
        (
            1,
            {},
            ["leave 1 for train; at least 2 needed", "leave 0 for validation; at least 1 needed"],
        ),
        (20, {"limit_train": 1}, ["leave 1 for train; at least 2 needed"]),
        (20, {"limit_train": 2, "limit_validation": 1}, []),
    ],
)
@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_empty_part_is_refused(
    part: str, images: int, options: dict[str, int], said: list[str]
) -> None:
    field = f"any.{part}_fraction"
    labels = np.arange(images) % 5
    start = f"{field}: {images} images with {part}_fraction 0.1"
    try:
        split_train_validation(labels, seed=0, validation_fraction=0.1, field=field, **options)
    except InputError as error:
        found = [str(problem) for problem in error.problems]
    else:
        found = []
    assert found == [f"{start} {each}".replace("for validation", f"for {part}") for each in said]


def test_the_field_of_a_split_is_that_of_the_protocol() -> None:
    with pytest.raises(InputError, match=r"^protocol\.validation_fraction: 5 images with"):
        split_train_validation(np.arange(5), seed=0, validation_fraction=0.1)


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_larger_limit_keeps_what_a_smaller_one_had(part: str) -> None:
    """So that a trial run on few images sees some of those of the whole one."""
    labels = np.arange(200) % 7
    whole = getattr(split_train_validation(labels, seed=1, validation_fraction=0.3), part)
    for limit in (2, 5, 30, 59):
        limited = split_train_validation(
            labels, seed=1, validation_fraction=0.3, limit_train=limit, limit_validation=limit
        )
        assert getattr(limited, part).tolist() == whole[:limit].tolist()
