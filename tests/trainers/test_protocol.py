"""The protocol: hash, bounds, refusals, and the paper's recipe."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trainers
from space.errors import InputError
from trainers import Protocol, Seeds


def where_of(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [problem.where for problem in error.value.problems]


def test_all_problems_come_at_once() -> None:
    values = {"epochs": 0, "colour": 1, "augmentation": {"flip": 2, "crop_scale": [0.5, 0.1]}}
    with pytest.raises(InputError) as error:
        Protocol.from_dict(values)
    assert sorted(where_of(error)) == [
        "protocol.augmentation.flip",
        "protocol.colour",
        "protocol.epochs",
    ]


def test_fields_that_do_not_fit_together_are_all_named() -> None:
    values = {
        "epochs": 2,
        "warmup_epochs": 3,
        "batch_size": 33,
        "minimum_learning_rate": 1,
        "augmentation": {"mixup": 0.2, "rand_augment": "rand-m9"},
    }
    with pytest.raises(InputError) as error:
        Protocol.from_dict(values)
    assert sorted(where_of(error)) == [
        "protocol.augmentation.rand_augment",
        "protocol.batch_size",
        "protocol.minimum_learning_rate",
        "protocol.warmup_epochs",
    ]


@pytest.mark.parametrize("value", ["nan", "inf", float("nan"), float("inf"), -1, None, "fast"])
def test_learning_rate_is_a_finite_number_in_range(value: object) -> None:
    with pytest.raises(InputError, match=r"protocol\.learning_rate"):
        Protocol.from_dict({"learning_rate": value})


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=5), min_size=1))
def test_junk_only_raises_input_error(values: dict[str, object]) -> None:
    try:
        Protocol.from_dict(values)
    except InputError:
        return
    assert set(values) <= set(Protocol.model_fields)


def test_the_round_trip_keeps_the_hash() -> None:
    protocol = Protocol.paper_imagenet(epochs=30)
    again = Protocol.from_dict(json.loads(json.dumps(protocol.to_dict())))
    assert again == protocol
    assert again.hash == protocol.hash


def test_the_paper_recipe_is_the_paper_recipe() -> None:
    paper = Protocol.paper_imagenet()
    assert (paper.epochs, paper.batch_size, paper.learning_rate) == (300, 1024, 1e-3)
    assert (paper.warmup_epochs, paper.warmup_learning_rate) == (20, 5e-7)
    assert (paper.weight_decay, paper.minimum_learning_rate, paper.clip_norm) == (0.05, 5e-6, 5)
    assert paper.betas == (0.9, 0.999)
    chosen = paper.augmentation
    assert chosen.rand_augment == "rand-m9-mstd0.5-inc1"
    assert (chosen.mixup, chosen.cutmix, chosen.mixup_switch) == (0.8, 1.0, 0.5)
    assert (chosen.random_erasing, chosen.colour_jitter) == (0.25, 0.4)
    assert round(chosen.image_size / chosen.test_crop) == 256


def test_pinned_data_must_be_the_data() -> None:
    pinned = Protocol(content_hash="a" * 16)
    assert pinned.bound_to("a" * 16, "b" * 16).split_hash == "b" * 16
    with pytest.raises(InputError, match=r"protocol\.content_hash: pinned to a+, but"):
        pinned.bound_to("c" * 16, "b" * 16)


def test_seeds_follow_the_policy() -> None:
    own, shared = Protocol(), Protocol(seed_policy="shared")
    assert own.seeds(1, "x") == own.seeds(1, "x") != own.seeds(1, "y")
    assert own.seeds(1, "x") != own.seeds(2, "x")
    assert shared.seeds(1, "x") == shared.seeds(1, "y")
    for policy in (own, shared):  # both seeds follow the study's
        one, other = policy.seeds(1, "x"), policy.seeds(2, "x")
        assert one.initialisation != other.initialisation
        assert one.data_order != other.data_order
    seeds = own.seeds(1, "x")
    assert isinstance(seeds, Seeds)
    assert seeds.initialisation != seeds.data_order
    assert 0 <= seeds.initialisation < 2**31


def test_the_torch_free_part_is_torch_free() -> None:
    code = (
        "import trainers, trainers.protocol, sys; from trainers import Protocol, DataConfig;"
        "from trainers import describe_data, classify, lock_test_split, Seeds, EpochResult;"
        "describe_data({'limit_train': 100}, Protocol());"
        "assert not {'torch', 'timm', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there_when_it_is_asked_for() -> None:
    assert all(getattr(trainers, name) is not None for name in trainers.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Trainer'"):
        trainers.Trainer  # noqa: B018 - asking is what is tested


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"augmentation": {"crop_scale": [0.5, 0.1]}},
            "augmentation.crop_scale: must rise from above 0 to at most 1; got 0.5, 0.1",
        ),
        (
            {"augmentation": {"crop_scale": [0.0, 1.0]}},
            "augmentation.crop_scale: must rise from above 0 to at most 1; got 0.0, 1.0",
        ),
        (
            {"augmentation": {"crop_scale": [0.5, 1.1]}},
            "augmentation.crop_scale: must rise from above 0 to at most 1; got 0.5, 1.1",
        ),
        ({"betas": [0.9, 1.0]}, "betas: each must be in [0, 1); got (0.9, 1.0)"),
        ({"betas": [-0.1, 0.9]}, "betas: each must be in [0, 1); got (-0.1, 0.9)"),
        (
            {"batch_size": 10, "accumulation": 4},
            "batch_size: must be a multiple of accumulation (4); got 10",
        ),
        (
            {"batch_size": 33, "augmentation": {"mixup": 0.2}},
            "batch_size: must be even with mixup or cutmix; got 33",
        ),
        (
            {"batch_size": 12, "accumulation": 4, "augmentation": {"mixup": 0.2}},
            "batch_size: must be a multiple of 8; got 12 (accumulation is 4, and pairs of a part "
            "are mixed)",
        ),
        (
            {"epochs": 2, "warmup_epochs": 3, "learning_rate": 0.1},
            "warmup_epochs: must not exceed epochs (2); got 3.0",
        ),
        (
            {"learning_rate": 0.1, "minimum_learning_rate": 0.2, "warmup_learning_rate": 0.01},
            "minimum_learning_rate: must not exceed learning_rate (0.1); got 0.2",
        ),
        (
            {"source_protocol": "a" * 16},
            "source_protocol: only where initialisation is finetuned; it is scratch",
        ),
    ],
)
def test_what_does_not_fit_is_said_with_what_is_allowed(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        Protocol.from_dict({"data": "image-folder"} | values)
    assert str(error.value) == f"protocol.{said}"


def test_edges_of_ranges_are_allowed() -> None:
    Protocol.from_dict(
        {
            "data": "image-folder",
            "betas": [0.0, 0.0],
            "epochs": 3,
            "warmup_epochs": 3,
            "batch_size": 16,
            "accumulation": 4,
            "learning_rate": 0.1,
            "minimum_learning_rate": 0.1,
            "augmentation": {"crop_scale": [1.0, 1.0], "mixup": 0.2},
        }
    )
