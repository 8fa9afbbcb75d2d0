"""The first points of a study: named, touching every axis, paired, hybrid."""

import numpy as np
import pytest

from space import DesignSpace
from space.axes import AXES, Locality
from space.design.feasible import FeasibleSet
from space.design.initial_points import axis_values
from space.design.paired_points import NAMED_OPERATORS
from space.mixer_types import PAPER_NAMES
from tests.space.spaces import FILES


def test_first_points_hold_the_named_operators_and_touch_every_axis_value() -> None:
    space = DesignSpace.from_yaml("configs/spaces/fashion-quickstart.yaml")
    points = space.initial_points(["named", "axes"], np.random.default_rng(3))
    assert len({point.id for _, point in points}) == len(points)
    named = {origin.removeprefix("named:"): p for origin, p in points if "named:" in origin}
    assert set(named) == {*PAPER_NAMES, "Local MLP"}
    assert all(point.name == name for name, point in named.items())
    touched = {pair for _, point in points for m in point.mixers() for pair in axis_values(m)}
    for axis, values in AXES.items():
        assert {value for name, value in touched if name == axis} == {str(v) for v in values}
    assert {value for name, value in touched if name == "kernel_size"} == {"2", "3", "5", "7"}
    assert all(space.contains(point) for _, point in points)
    again = space.initial_points(["named", "axes"], np.random.default_rng(3))
    assert points == again


@pytest.mark.parametrize("name", ["fashion-quickstart", "fashion-cells", "imagenet-tiny"])
def test_paired_points_differ_by_their_operator_alone(name: str) -> None:
    space = DesignSpace.from_yaml(FILES / f"{name}.yaml")
    points = dict(space.initial_points(["paired"], np.random.default_rng(0)))
    assert len({point.id for point in points.values()}) == len(points) > 3
    skeletons = {
        (
            point.stem,
            point.block_type,
            point.head,
            tuple((stage.width, stage.depth, stage.mlp_ratio) for stage in point.stages),
        )
        for point in points.values()
    }
    assert len(skeletons) == 1
    for origin, point in points.items():
        assert {mixer.name for mixer in point.mixers()} == {origin.removeprefix("paired:")}
        assert space.contains(point)
    again = dict(space.initial_points(["paired"], np.random.default_rng(0)))
    assert again == points


def test_all_operators_that_fit_one_skeleton_are_paired() -> None:
    """Limits that MLP keeps in the smallest network alone: that is the skeleton for all."""
    space = DesignSpace.from_yaml(FILES / "fashion-quickstart.yaml")
    values = space.to_dict() | {"limits": {"params": 900_000}}
    points = dict(
        DesignSpace.from_dict(values).initial_points(["paired"], np.random.default_rng(0))
    )
    assert [origin.removeprefix("paired:") for origin in points] == list(NAMED_OPERATORS)
    assert [(s.width, s.depth) for s in points["paired:MLP"].stages] == [(16, 1), (32, 1)]


def test_hybrid_points_are_global_in_the_last_stage_alone() -> None:
    space = DesignSpace.from_yaml(FILES / "fashion-first-search.yaml")
    points = space.initial_points(["hybrid"], np.random.default_rng(0))
    names = ["Sep. MLP", "MLP", "LR MLP", "ViT", "PVT"]
    assert sorted(origin for origin, _ in points) == sorted(f"hybrid:{name}" for name in names)
    for origin, point in points:
        *early, last = point.mixers()
        assert last.name == origin.removeprefix("hybrid:")
        assert last.locality is Locality.GLOBAL
        assert {mixer.name for mixer in early} == {"Conv."}
        assert space.contains(point)
    assert points == space.initial_points(["hybrid"], np.random.default_rng(0))
    one_stage = DesignSpace.from_yaml(FILES / "fashion-cells.yaml")
    assert one_stage.initial_points(["hybrid"], np.random.default_rng(0)) == []


def test_hybrid_points_without_convolutions_have_other_local_operators() -> None:
    values = DesignSpace.from_yaml(FILES / "fashion-first-search.yaml").to_dict()
    values["mixers"] = [m for m in values["mixers"] if "conv." not in m["operator"]]
    space = DesignSpace.from_dict(values)
    points = space.initial_points(["hybrid"], np.random.default_rng(0))
    assert len(points) == 5
    for _, point in points:
        assert space.contains(point)
        *early, _ = point.mixers()
        assert {mixer.locality for mixer in early} <= {Locality.WINDOW, Locality.SLIDING}


@pytest.mark.parametrize("seed", range(3))
def test_hybrid_points_have_fine_tokens_and_sizes_unlike_all_before(seed: int) -> None:
    space = DesignSpace.from_yaml(FILES / "fashion-first-search.yaml")
    points = dict(space.initial_points(["hybrid"], np.random.default_rng(seed)))
    assert {point.stem.patch_size for point in points.values()} == {2}
    sizes = {tuple((s.width, s.mlp_ratio) for s in point.stages) for point in points.values()}
    assert len(sizes) == 5
    both = dict(space.initial_points(["paired", "hybrid"], np.random.default_rng(seed)))
    skeleton = [(stage.width, stage.mlp_ratio) for stage in both["paired:MLP"].stages]
    mlp = [(stage.width, stage.mlp_ratio) for stage in both["hybrid:MLP"].stages]
    assert mlp == [(width, 3 - ratio) for width, ratio in skeleton]  # no other width fits


def test_each_early_stage_of_a_hybrid_has_what_is_most_like_convolution() -> None:
    values = DesignSpace.from_yaml(FILES / "fashion-first-search.yaml").to_dict()
    mixers = [
        [{"operator": ["local vit", "conv."], "kernel_size": 3, "heads": 4}],
        [{"operator": ["local vit", "dw-s conv."], "kernel_size": 3, "heads": 4}],
        [{"operator": "vit", "heads": 4}],
    ]
    stages = [{"depth": 1, "width": [16, 32], "mlp_ratio": 1, "mixers": each} for each in mixers]
    del values["mixers"], values["limits"]
    space = DesignSpace.from_dict(values | {"stages": stages})
    (point,) = dict(space.initial_points(["hybrid"], np.random.default_rng(0))).values()
    assert [mixer.name for mixer in point.mixers()] == ["Conv.", "DW-S Conv.", "ViT"]


def test_hybrid_points_come_quickly_in_tight_and_large_spaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Drawing from a part of the space costs more to prepare than to do."""
    parts = []
    kept = FeasibleSet.kept
    monkeypatch.setattr(FeasibleSet, "kept", lambda *given: parts.append(0) or kept(*given))
    space = DesignSpace.from_yaml(FILES / "fashion-first-search.yaml")
    assert len(space.initial_points(["hybrid"], np.random.default_rng(0))) == 5
    assert len(parts) == 5


def test_one_operator_is_paired_with_nothing() -> None:
    space = DesignSpace.from_yaml(FILES / "fashion-quickstart.yaml")
    values = space.to_dict() | {"mixers": [{"operator": "vit", "heads": 4}]}
    assert DesignSpace.from_dict(values).initial_points(["paired"], np.random.default_rng(0)) == []
