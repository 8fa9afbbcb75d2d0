"""Design spaces: reading, counting, drawing, walking, moving, and refusing."""

import copy
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space import Architecture, DesignSpace, Infeasible, InputError, Mixer, cost
from space.axes import AXES, Locality
from space.design import Limits
from space.design.decisions import Read, Value
from space.design.initial_points import axis_values
from space.design.mixer_moves import size_moves
from space.design.paired_points import NAMED_OPERATORS
from space.mixer_types import PAPER_NAMES
from tests.space.spaces import EVERYTHING, FILES, everything

SMALL: dict[str, Any] = {
    "input": {"channels": 1, "size": 16},
    "classes": 4,
    "stem": {"patch_size": 4},
    "block_type": ["conv", "prenorm"],
    "mixers": [
        {"operator": "dw-s conv", "kernel_size": [3, 5, 7, 9]},
        {"operator": "local vit", "kernel_size": [2, 4, 7], "heads": [1, 3]},
    ],
    "stages": [
        {"depth": [1, 2], "width": [8, 12], "mlp_ratio": 2, "pattern": 2},
        {"depth": 1, "width": 16, "mlp_ratio": [1, 2]},
    ],
}


def small(**changes: Any) -> DesignSpace:
    return DesignSpace.from_dict(copy.deepcopy(SMALL) | changes)


def every_point(space: DesignSpace) -> list[Architecture]:
    """All points before the limits, by taking every way through the decisions."""
    points: list[Architecture] = []
    trail: list[int] = []

    def advance() -> bool:
        while trail and trail[-1] == 0:
            trail.pop()
        if trail:
            trail[-1] -= 1
        return bool(trail)

    while True:
        place = itertools.count()

        def choose(name: str, options: tuple[Value, ...], read: Read) -> Value:
            at = next(place)  # noqa: B023
            if at == len(trail):
                trail.append(len(options) - 1)
            return options[trail[at]]

        points.append(space.walk(choose))
        if not advance():
            return points


def test_the_count_is_that_of_the_distinct_points() -> None:
    space = small()
    points = every_point(space)
    assert len(points) == len({point.id for point in points}) == space.size_hint()


def test_sampling_is_uniform_over_the_distinct_points() -> None:
    space = small(block_type="conv", stages=[{"depth": [1, 2], "width": [8, 12], "mlp_ratio": 2}])
    points = {point.id for point in every_point(space)}
    draws = 200 * len(points)
    rng = np.random.default_rng(1)
    counts = Counter(space.sample(rng).id for _ in range(draws))
    assert set(counts) == points
    chi_square = sum((counts[point] - 200) ** 2 / 200 for point in points)
    degrees = len(points) - 1
    assert abs(chi_square - degrees) < 5 * (2 * degrees) ** 0.5


def test_limits_hold_for_samples_and_neighbours() -> None:
    space = small(limits={"params": "6k", "flops": 60_000})
    rng = np.random.default_rng(0)
    for _ in range(30):
        point = space.sample(rng)
        for architecture in [point, *space.neighbours(point)]:
            assert cost(architecture).params <= 6000
            assert cost(architecture).macs <= 60_000
    large = max(every_point(small()), key=lambda point: cost(point).params)
    assert not space.contains(large)
    assert any("params" in reason for reason in space.violations(large))


def test_replaying_the_decisions_gives_the_architecture_back() -> None:
    rng = np.random.default_rng(0)
    space = everything()
    for _ in range(60):
        point = space.sample(rng)
        answers = iter(space.decisions(point))

        def choose(name: str, options: tuple[Value, ...], read: Read) -> Value:
            decision = next(answers)  # noqa: B023
            assert (decision.name, decision.options) == (name, options)
            return decision.value

        assert space.walk(choose) == point
        assert space.contains(point)


def test_walking_into_the_limits_is_told() -> None:
    space = small(limits={"params": 3000})
    with pytest.raises(Infeasible, match=r"params .* exceed the limit 3,000"):
        space.walk(lambda name, options, read: options[-1])


def test_neighbours_are_points_one_move_away_and_moves_go_both_ways() -> None:
    space = small()
    rng = np.random.default_rng(0)
    for _ in range(20):
        point = space.sample(rng)
        neighbours = space.neighbours(point)
        ids = [neighbour.id for neighbour in neighbours]
        assert len(set(ids)) == len(ids)
        assert point.id not in ids
        for neighbour in neighbours:
            assert space.contains(neighbour)
        same_shape = [n for n in neighbours if _shape(n) == _shape(point)]
        assert all(point in space.neighbours(neighbour) for neighbour in same_shape)


def _shape(architecture: Architecture) -> list[tuple[int, int]]:
    return [(stage.depth, stage.width) for stage in architecture.stages]


def test_neighbours_of_a_foreign_architecture_are_refused() -> None:
    stranger = small(stem={"patch_size": 2}).sample(np.random.default_rng(0))
    with pytest.raises(InputError, match="not in this space"):
        small().neighbours(stranger)


def test_every_point_is_reached_by_moves() -> None:
    space = small(stages=[{"depth": [1, 2], "width": [8, 12], "mlp_ratio": 2, "pattern": 2}])
    points = {point.id: point for point in every_point(space)}
    start = next(iter(points.values()))
    reached, border = {start.id}, [start]
    while border:
        found = {n.id: n for point in border for n in space.neighbours(point)}
        border = [point for point in found.values() if point.id not in reached]
        reached |= set(found)
    assert reached == set(points)


def test_shapes_that_do_not_go_together_are_stepped_over() -> None:
    space = small(
        mixers=[{"operator": "dw-s conv", "kernel_size": [3, 5]}],
        stages=[{"depth": 1, "width": [4, 6], "mlp_ratio": [0.25, 0.5]}],
    )
    points = {point.id: point for point in every_point(space)}
    reached, border = set(), [next(iter(points.values()))]
    while border:
        reached |= {point.id for point in border}
        found = {n.id: n for point in border for n in space.neighbours(point)}
        border = [point for name, point in found.items() if name not in reached]
    assert reached == set(points)


def test_neighbours_of_many_mixers_come_soon_enough() -> None:
    sizes = {"kernel_size": list(range(1, 32, 2)), "heads": [1, 2, 4, 8], "bias": [True, False]}
    mixers = [{"operator": "dynamic local-s mlp", "generator_ratio": [1, 2, 4, 8]} | sizes]
    space = small(mixers=mixers, stages=[{"depth": 1, "width": 16, "mlp_ratio": 2}])
    point = space.sample(np.random.default_rng(0))
    counted = sum(len(moves) for moves in size_moves(_mixers(space)).values())
    assert counted < 40 * len(_mixers(space))  # not every pair
    assert len(space.neighbours(point)) > 10


def _mixers(space: DesignSpace) -> list[Mixer]:
    return list(dict.fromkeys(m for point in every_point(space) for m in point.mixers()))


def test_features_have_one_length_and_tell_points_apart() -> None:
    space = small()
    points = every_point(space)
    features = [tuple(space.encode(point)) for point in points]
    assert len({len(numbers) for numbers in features}) == 1
    assert len(set(features)) == len(points)
    assert np.isfinite(features).all()


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
        assert {mixer.locality for mixer in early} <= {Locality.WINDOW, Locality.SLIDING}
        assert space.contains(point)
    assert points == space.initial_points(["hybrid"], np.random.default_rng(0))
    one_stage = DesignSpace.from_yaml(FILES / "fashion-cells.yaml")
    assert one_stage.initial_points(["hybrid"], np.random.default_rng(0)) == []


def test_one_operator_is_paired_with_nothing() -> None:
    space = DesignSpace.from_yaml(FILES / "fashion-quickstart.yaml")
    values = space.to_dict() | {"mixers": [{"operator": "vit", "heads": 4}]}
    assert DesignSpace.from_dict(values).initial_points(["paired"], np.random.default_rng(0)) == []


def test_a_space_can_be_written_and_read_back(tmp_path: Path) -> None:
    import yaml

    space = small(limits={"flops": "2M"})
    path = tmp_path / "space.yaml"
    path.write_text(yaml.safe_dump(space.to_dict()))
    again = DesignSpace.from_yaml(path)
    assert again.to_dict() == space.to_dict()
    assert again.limits.macs == 2_000_000
    assert again.size_hint() == space.size_hint()


def refusal(**changes: Any) -> dict[str, str]:
    with pytest.raises(InputError) as error:
        DesignSpace.from_dict(copy.deepcopy(SMALL) | changes, "space")
    return {problem.where: problem.message for problem in error.value.problems}


def test_options_of_all_networks_are_those_of_their_space() -> None:
    options = {"stem": {"patch_size": [2, 4], "type": "pool"}, "layer_scale": 0.5}
    space = DesignSpace.from_dict(EVERYTHING | options)
    assert DesignSpace.from_dict(space.to_dict()).to_dict() == space.to_dict()
    assert "layer_scale" not in everything().to_dict()
    assert "type" not in everything().to_dict()["stem"]
    rng = np.random.default_rng(0)
    for _ in range(5):
        point = space.sample(rng)
        near = [point, *space.neighbours(point)]
        assert all(one.stem.type == "pool" for one in near)
        assert {one.layer_scale for one in near if one.block_type == "convnext"} == {0.5}
        assert all(map(space.contains, near))
        with pytest.raises(InputError, match=r"stem.type: is pool, and this space has patch"):
            everything().decisions(point)


def test_all_problems_of_a_space_are_told_at_once() -> None:
    found = refusal(
        colour="blue",
        classes=0,
        block_type=["conv", "ladder"],
        stages=[{"depth": 1.5, "width": [], "mlp_ratio": 2}],
    )
    assert set(found) == {
        "space.colour",
        "space.classes",
        "space.block_type[1]",
        "space.stages[0].depth[0]",
        "space.stages[0].width",
    }
    found = refusal(
        mixers=["dw-s cnov", {"operator": "vit", "kernel_size": 3}, {"locality": "windo"}],
        limits={"params": "many", "watts": 3},
    )
    assert set(found) == {
        "space.mixers[0].operator",
        "space.mixers[1].kernel_size",
        "space.mixers[2].locality",
        "space.limits.params",
        "space.limits.watts",
    }
    assert "allowed: global, window, sliding" in found["space.mixers[2].locality"]


@pytest.mark.parametrize("names", [("macs", "flops"), ("flops", "macs")])
def test_a_limit_by_both_of_its_names_is_refused(names: tuple[str, str]) -> None:
    found = refusal(limits=dict(zip(names, ("2M", "3M"), strict=True)))
    assert found == {"space.limits.flops": "is the same metric as space.limits.macs, give it once"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("512 MiB", 512 * 2**20),
        ("2gb", 2 * 10**9),
        ("1.5 GiB", 3 * 2**29),
        ("800k", 800_000),
        ("64ki", 2**16),
        ("7000 B", 7000),
        (12_345, 12_345),
    ],
)
def test_limits_of_bytes_are_read_with_their_units(written: str | int, meant: int) -> None:
    limits = Limits.from_dict({"training_bytes": written, "inference_bytes": written}, "limits")
    assert limits == Limits(training_bytes=meant, inference_bytes=meant)


@pytest.mark.parametrize("value", ["many", "3 apples", "-1 MB", "", "MiB", "1 mb 2", 0, True, None])
def test_what_is_no_number_of_bytes_is_refused(value: object) -> None:
    message = refusal(limits={"inference_bytes": value})["space.limits.inference_bytes"]
    assert message == f"{value!r} is not a number of bytes such as 500000000, 512 MiB or 2 GB"


def test_a_limit_of_latency_is_refused_with_the_reason() -> None:
    message = refusal(limits={"latency": "5 ms", "params": 3})["space.limits.latency"]
    assert message.startswith("latency has no closed form")
    assert message.endswith("allowed: params, macs (flops), training_bytes, inference_bytes")


@pytest.mark.parametrize(
    ("line", "where", "message"),
    [
        ({"operator": "dw-s conv", "kernel_size": [3, 4]}, "[0].kernel_size", "odd"),
        ({"operator": "dw-s conv"}, "[0].kernel_size", "required"),
        ({"operator": "group conv.", "kernel_size": 3}, "[0].groups", "required"),
        ({"locality": "window", "sharing": "position", "kernel_size": 3}, "[0]", "rule 4"),
        ({"operator": "vit", "locality": "window"}, "[0].locality", "either"),
        ("window/dense/full/both/static", "[0].operator", "rule 5"),
        ({"operator": "vit", "heads": 5}, "[0].heads", "5 does not divide"),
        ([], "[0]", "not an operator's name"),
    ],
)
def test_a_line_that_stands_for_no_mixer_is_refused(line: Any, where: str, message: str) -> None:
    assert message in refusal(mixers=[line])[f"space.mixers{where}"]


def test_what_fits_no_width_of_a_stage_is_told_with_what_would() -> None:
    conv = {"operator": "dw-s conv", "kernel_size": 3}
    local = {"operator": "local vit", "kernel_size": 7, "heads": [1, 5]}
    grouped = {"operator": "group conv.", "kernel_size": 3, "groups": [5, 7]}
    narrow = {"operator": "bottleneck", "kernel_size": 3, "ratio": 64}
    stages: list[dict[str, Any]] = [
        {"depth": 1, "width": [32, 48], "mixers": [grouped, {**local, "heads": 5}]},
        {"depth": 1, "width": 32, "mixers": [grouped, local]},
        {"depth": 1, "width": 32, "mlp_ratio": [0.33, 0.4], "mixers": [conv]},
        {"depth": 1, "width": 32, "mixers": [narrow]},
        # One width fits the mixer, the other the ratio.
        {"depth": 1, "width": [25, 32], "mlp_ratio": 0.5, "mixers": [{**local, "heads": 5}]},
    ]
    with pytest.raises(InputError) as refused:
        DesignSpace.from_dict(small().to_dict() | {"stages": stages}, "space")
    assert [str(problem) for problem in refused.value.problems] == [
        "space.stages[0].mixers[0].groups: 5 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[0].groups: 7 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[1].heads: 5 does not divide 32 channels; 4 and 8 do",
        "space.stages[0].mixers[0].groups: 5 does not divide 48 channels; 4 and 6 do",
        "space.stages[0].mixers[0].groups: 7 does not divide 48 channels; 6 and 8 do",
        "space.stages[0].mixers[1].heads: 5 does not divide 48 channels; 4 and 6 do",
        "space.stages[2].mlp_ratio: 0.33 of width 32 does not give whole channels",
        "space.stages[2].mlp_ratio: 0.4 of width 32 does not give whole channels",
        "space.stages[3].mixers[0].ratio: 64 does not divide the width 32; 32 does",
        "space.stages[4].mlp_ratio: 0.5 of width 25 does not give whole channels",
        "space.stages[4].mixers[0].heads: 5 does not divide 32 channels; 4 and 8 do",
    ]


def test_of_very_many_misfits_the_first_are_told() -> None:
    line = {"operator": "vit", "heads": list(range(100, 200))}
    stage = {"depth": 1, "width": 32, "mixers": [line]}
    with pytest.raises(InputError) as refused:
        DesignSpace.from_dict(small().to_dict() | {"stages": [stage]})
    assert len(refused.value.problems) == 21
    assert str(refused.value.problems[-1]) == "stages[0]: 80 more values do not fit its widths"


def test_a_space_without_a_feasible_point_is_refused_with_the_least_costs() -> None:
    message = refusal(limits={"params": 500})["space.limits"]
    least = min(cost(point).params for point in every_point(small()))
    assert f"the least params are {least:,} (limit 500)" in message


@pytest.mark.parametrize("text", ["{", "- 1", "a: &a [*a]", "\x00", "!!python/object:os.system {}"])
def test_files_that_are_no_space_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        DesignSpace.from_yaml(path)
    with pytest.raises(InputError, match="cannot be read"):
        DesignSpace.from_yaml(tmp_path / "missing.yaml")


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_damaged_spaces_give_nothing_but_input_errors(random: Any) -> None:
    damaged = copy.deepcopy(EVERYTHING)
    for _ in range(random.randint(1, 3)):
        _damage(damaged, random)
    try:
        space = DesignSpace.from_dict(damaged)
    except InputError:
        return
    assert space.sample(np.random.default_rng(0)).id


def _damage(values: Any, random: Any) -> None:
    """Replaces, removes or adds something somewhere."""
    while True:
        keys = list(values) if isinstance(values, dict) else list(range(len(values)))
        if not keys:
            return
        key = random.choice(keys)
        if isinstance(values[key], dict | list) and random.random() < 0.8:
            values = values[key]
            continue
        junk = [None, -1, 0, 2, 7.5, "x", "3k", [], {}, [[]], True, 10**40, float("nan")]
        values[key] = random.choice(junk)
        if isinstance(values, dict) and random.random() < 0.2:
            values["unknown"] = random.choice(junk)
        return
