"""Neighbours of a point are those of the definition, in the same order."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space import DesignSpace
from space.design.mixer_lines import expand_mixers
from space.design.mixer_moves import MixerMoves
from tests.space.neighbours_oracle import apart, slow_neighbours
from tests.space.spaces import EVERYTHING, FILES

HOLES: dict[str, Any] = {
    "input": {"channels": 1, "size": 26},
    "classes": 4,
    "stem": {"patch_size": [2, 4]},
    "block_type": ["conv", "prenorm", "convnext"],
    "mixers": [
        {
            "operator": "local vit",
            "kernel_size": [2, 4, 7],
            "heads": [1, 3],
            "shift": [True, False],
        },
        {"operator": "mlp", "bias": [True, False]},
        {"operator": "dw-s conv", "kernel_size": 3, "bias": False},
        {"operator": "dw-s conv", "kernel_size": 9, "bias": True},
        {"operator": "pvt", "heads": 2, "ratio": 2, "reduction": "average"},
        {"operator": "pvt", "heads": 6, "ratio": 4, "reduction": "dense"},
        {"operator": "lr mlp", "ratio": [4, 100]},
    ],
    "stages": [
        {"depth": [1, 2, 3], "width": [6, 12], "mlp_ratio": [0.5, 0.75, 2], "pattern": 2},
        {"depth": [2, 5], "width": [6, 8, 18], "mlp_ratio": [0.25, 1], "pattern": 3},
    ],
}
"""Types and sizes far apart, ratios that fit some widths, patterns that the depth cuts short."""

LIMITS = {"params": "30k", "flops": "1M", "training_bytes": "400k"}
"""About half of the points of `HOLES`."""

SPACES: dict[str, Any] = {"holes": HOLES, "limits": HOLES | {"limits": LIMITS}}
FILED = ("fashion-cells", "fashion-quickstart", "imagenet-tiny")


@cache
def space_named(name: str) -> DesignSpace:
    if name in SPACES:
        return DesignSpace.from_dict(SPACES[name])
    return DesignSpace.from_yaml(FILES / f"{name}.yaml")


def check(space: DesignSpace, seed: int) -> None:
    point = space.sample(np.random.default_rng(seed))
    own = point.id
    found = space.neighbours(point)
    assert own not in [n.id for n in found]
    assert [n.to_json() for n in found] == [n.to_json() for n in slow_neighbours(space, point)]
    assert all(type(n).from_json(n.to_json()) == n for n in found[:5])


@settings(max_examples=40)
@given(st.sampled_from((*SPACES, *FILED)), st.integers(0, 2**32))
def test_they_are_those_of_the_definition(name: str, seed: int) -> None:
    check(space_named(name), seed)


def test_they_are_those_of_the_definition_among_all_mixer_types() -> None:
    stages = [{"depth": [1, 2, 3], "width": [8, 12], "mlp_ratio": [1, 2.5], "pattern": 2}]
    space = DesignSpace.from_dict(EVERYTHING | {"stages": stages, "mixers": _fewer()})
    for seed in range(4):
        check(space, seed)


def _fewer() -> list[Any]:
    first, *others = EVERYTHING["mixers"]
    return [first | {"kernel_size": [3, 4], "heads": [1, 4], "groups": 2, "ratio": 2}, *others]


OPERATORS = ["conv.", "dw-s conv.", "group conv.", "lightweight conv.", "conditional conv."]
SIZES = {"kernel_size": [3, 5], "bias": [True, False], "groups": 2, "heads": 2}
MIXERS = expand_mixers({"operator": OPERATORS} | SIZES, "mixers")


def test_the_nearest_mixer_is_the_first_of_the_closest() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3000):  # ties between mixer types that stand mixed up are rare
        mixers = tuple(MIXERS[n] for n in rng.permutation(len(MIXERS))[: rng.integers(1, 11)])
        wanted = MIXERS[rng.integers(len(MIXERS))]
        assert MixerMoves(mixers).nearest(wanted) == min(mixers, key=lambda m: apart(m, wanted))


@pytest.mark.parametrize("name", ["limits", "imagenet-tiny"])
def test_limits_leave_some_out(name: str) -> None:
    space = space_named(name)
    free = DesignSpace.from_dict({k: v for k, v in space.to_dict().items() if k != "limits"})
    points = [space.sample(np.random.default_rng(seed)) for seed in range(20)]
    kept = sum(len(space.neighbours(point)) for point in points)
    assert 0 < kept < sum(len(free.neighbours(point)) for point in points)


def test_every_point_is_reached_whatever_the_patch_size() -> None:
    space = DesignSpace.from_dict(
        {
            "name": "two patches",
            "input": {"channels": 3, "size": 32},
            "classes": 10,
            "stem": {"patch_size": [2, 4]},
            "block_type": ["conv", "prenorm"],
            "mixers": [{"operator": "dw-s conv.", "kernel_size": [3, 5]}],
            "stages": [{"depth": 1, "width": [8, 12], "mlp_ratio": 2}],
        }
    )
    first = next(iter(space.enumerate()))
    met, waiting = {first.id}, [first]
    while waiting:
        for other in space.neighbours(waiting.pop()):
            if other.id not in met:
                met.add(other.id)
                waiting.append(other)
    assert len(met) == space.count() == 16
