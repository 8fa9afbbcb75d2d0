"""Counting, enumerating and drawing under hard limits, against spaces small enough to list."""

import copy
import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.space import IMAGENET, LIMITS
from space import Architecture, DesignSpace, InputError, cost
from space.cost import memory
from space.design import SpaceTooLarge
from space.design.feasible import chain, cost_sums, counting, grid_sampling
from space.design.feasible.chain import Chain
from space.design.feasible.cost_sums import Sums
from space.design.feasible.dominance import exact_product, ways_within
from space.design.feasible.frontier import front, list_stages
from space.design.feasible.grid_sampling import FeasibleSampler, Grid
from tests.space.spaces import EVERYTHING, every_point, small

TINY: dict[str, Any] = {
    "input": {"channels": 2, "height": 12, "width": 16},
    "classes": 3,
    "stem": {"patch_size": [2, 4]},
    "block_type": ["prenorm", "convnext"],
    "downsample": "conv",
    "mixers": [
        {"operator": ["dw-s conv", "dynamic dw-s conv"], "kernel_size": 3},
        {"operator": "local vit", "kernel_size": 2, "heads": 2, "shift": [True, False]},
        {"operator": "lr mlp", "ratio": 16},
    ],
    "stages": [
        {"depth": [1, 3], "width": [4, 8], "mlp_ratio": 1, "pattern": 2},
        {"depth": 2, "width": [8, 12], "mlp_ratio": [1, 2]},
    ],
}


def tiny(**changes: Any) -> DesignSpace:
    return DesignSpace.from_dict(copy.deepcopy(TINY) | changes)


@pytest.fixture(scope="module")
def points() -> list[Architecture]:
    return every_point(tiny())


@cache
def spent(point: Architecture) -> dict[str, int]:
    return asdict(cost(point)) | asdict(memory(point))


def quantile(points: list[Architecture], name: str, share: float) -> int:
    return sorted(spent(point)[name] for point in points)[int(share * len(points))]


QUANTITIES = ("params", "macs", "training_bytes", "inference_bytes")
LIMITED = [
    {"params": 0.6, "macs": 0.5},
    {"params": 0.1},
    {"macs": 0.15},
    {"params": 0.02, "macs": 0.3},
    {"params": 0.3, "macs": 0.01},
    {"params": 0.0, "macs": 1 / 3},
    {"training_bytes": 0.2},
    {"inference_bytes": 0.3},
    {"inference_bytes": 0.0},
    {"params": 0.5, "inference_bytes": 0.4},
    {"macs": 0.5, "training_bytes": 0.5},
    {"params": 0.5, "macs": 0.4, "training_bytes": 0.3},
    dict.fromkeys(QUANTITIES, 0.5),
    {"params": 0.4, "macs": 0.6, "training_bytes": 0.5, "inference_bytes": 0.7},
]


def limited(points: list[Architecture], shares: dict[str, float]) -> dict[str, int]:
    return {name: quantile(points, name, share) for name, share in shares.items()}


def telling(points: list[Architecture], limits: dict[str, int]) -> list[Architecture]:
    """Those next to a limit on either side, and every seventh of the others."""
    asked = dict.fromkeys(points[::7])
    for name, limit in limits.items():
        by_distance = sorted(points, key=lambda point: abs(spent(point)[name] - limit))
        asked |= dict.fromkeys(by_distance[:100])
    return list(asked)


# --- counting and listing ---------------------------------------------------------------------


@pytest.mark.parametrize("shares", LIMITED, ids=str)
def test_count_and_list_are_those_of_brute_force(
    points: list[Architecture], shares: dict[str, float]
) -> None:
    limits = limited(points, shares)
    space = tiny(limits=limits)
    feasible = {
        point.id
        for point in points
        if all(spent(point)[name] <= limit for name, limit in limits.items())
    }
    listed = list(space.enumerate())
    assert len(listed) == len({point.id for point in listed}) == space.count() == len(feasible) > 0
    assert {point.id for point in listed} == feasible
    asked = telling(points, limits)
    assert {point.id for point in asked if space.contains(point)} == feasible & {
        point.id for point in asked
    }
    rng = np.random.default_rng(0)
    assert {space.sample(rng).id for _ in range(20)} <= feasible
    assert {n.id for point in listed[:3] for n in space.neighbours(point)} <= feasible
    assert len(points) == tiny().size_hint() == tiny().count()


def test_without_limits_every_point_is_contained(points: list[Architecture]) -> None:
    """What limits leave of that is decided by costs alone."""
    space = tiny()
    assert all(map(space.contains, points))


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_limit_below_the_least_is_refused_with_the_least(
    points: list[Architecture], name: str
) -> None:
    least = min(spent(point)[name] for point in points)
    assert tiny(limits={name: least}).count() >= 1
    with pytest.raises(InputError, match=f"least {name} are {least:,} .limit {least - 1:,}"):
        tiny(limits={name: least - 1})


@pytest.mark.thorough
@given(st.integers(0, 2**32 - 1), st.sets(st.sampled_from(QUANTITIES), min_size=1))
@settings(max_examples=15, deadline=None)
def test_random_spaces_are_counted_as_they_are_listed(seed: int, names: set[str]) -> None:
    rng = np.random.default_rng(seed)
    values = copy.deepcopy(EVERYTHING)
    values["mixers"] = [values["mixers"][0] | {"kernel_size": 3, "groups": 2, "bias": True}]
    for stage in values["stages"]:
        stage["width"] = rng.choice([8, 12, 16, 24], size=2).tolist()
        stage["depth"] = rng.integers(1, 4, size=1).tolist()
        stage["pattern"] = 1
    values["stages"] = values["stages"][: rng.integers(1, 4)]
    open_space = DesignSpace.from_dict(values)
    drawn = [spent(open_space.sample(rng)) for _ in range(100)]
    limits = {}
    for name in sorted(names):
        values_of = sorted(each[name] for each in drawn)
        limits[name] = values_of[0] + int(rng.integers(values_of[20] - values_of[0] + 1))
    try:
        space = DesignSpace.from_dict(values | {"limits": limits})
    except InputError:
        assert all(any(each[name] > limits[name] for name in names) for each in drawn)
        return
    listed = list(itertools.islice(space.enumerate(), 400))
    assert all(space.contains(point) for point in listed[:10])
    if len(listed) < 400:
        assert space.count() == len({point.id for point in listed}) == len(listed)
    else:
        assert space.count() >= 400


def test_one_stage_and_one_network() -> None:
    space = tiny(stages=[{"depth": 1, "width": 4, "mixers": ["sep. mlp"]}], block_type="conv")
    assert [p.stem.patch_size for p in space.enumerate()] == [2, 4]
    least = min(cost(point).params for point in space.enumerate())
    only = tiny(
        stages=[{"depth": 1, "width": 4, "mixers": ["sep. mlp"]}],
        block_type="conv",
        limits={"params": least},
    )
    assert only.count() == 1
    assert only.sample(np.random.default_rng(0)) == next(only.enumerate())


def test_a_feasible_point_off_both_extremes_is_found() -> None:
    """The cheapest in params breaks the MACs, and the other way round; what is between fits."""
    space = tiny()
    found = sorted({(cost(p).params, cost(p).macs) for p in space.enumerate()})
    edge = front(Sums(np.array(found).T, np.ones(len(found), np.int64)))
    assert len(edge) >= 3
    middle = len(edge) // 2
    limits = dict(zip(("params", "macs"), edge.vectors()[middle], strict=True))
    space = tiny(limits=limits)
    assert 1 <= space.count() == len(list(space.enumerate()))
    assert space.sample(np.random.default_rng(0)).id in {p.id for p in space.enumerate()}
    said = r"no network keeps params [0-9,]+ and macs [0-9,]+ together"
    with pytest.raises(InputError, match=said) as error:
        tiny(limits={"params": limits["params"], "macs": limits["macs"] - 1})
    assert "least" not in str(error.value)


def test_only_the_limits_that_are_broken_are_named(points: list[Architecture]) -> None:
    least = {name: min(spent(point)[name] for point in points) for name in ("params", "macs")}
    with pytest.raises(InputError) as error:
        tiny(limits={"params": least["params"] - 1, "macs": least["macs"]})
    assert f"the least params are {least['params']:,}" in str(error.value)
    assert "macs" not in str(error.value)


def test_enumeration_is_lazy_and_its_order_is_fixed() -> None:
    space = DesignSpace.from_dict(IMAGENET | {"limits": LIMITS[1]})
    first = [point.id for point in itertools.islice(space.enumerate(), 20)]
    assert first == [point.id for point in itertools.islice(space.enumerate(), 20)]
    assert len(set(first)) == 20


def test_ratios_that_give_no_whole_channels_are_no_points() -> None:
    space = tiny(stages=[{"depth": 1, "width": [4, 6], "mlp_ratio": [1.25, 2], "mixers": ["vit"]}])
    shapes = {(s.width, s.mlp_ratio) for p in space.enumerate() for s in p.stages}
    assert shapes == {(4, 1.25), (4, 2), (6, 2)}
    assert space.count() == space.size_hint() == len(list(space.enumerate()))
    with pytest.raises(InputError, match="whole channels"):
        tiny(stages=[{"depth": 1, "width": 6, "mlp_ratio": 1.25, "mixers": ["vit"]}])


# --- large spaces -----------------------------------------------------------------------------


def test_a_space_of_many_billions_is_counted() -> None:
    """A second limit that nothing breaks changes neither the count nor what it is."""
    values = copy.deepcopy(IMAGENET) | {"block_type": "convnext", "limits": {"macs": "0.7G"}}
    space = DesignSpace.from_dict(values)
    assert space.size_hint() > 10**12
    by_macs = space.count()
    both = DesignSpace.from_dict(values | {"limits": {"macs": "0.7G", "params": "900M"}})
    assert 0 < by_macs == both.count() < 10**10
    assert DesignSpace.from_dict(values | {"limits": {}}).count() == space.size_hint()


def test_a_count_is_the_sum_over_the_parts_of_a_space() -> None:
    limits = {"params": "5M", "macs": "0.8G"}
    whole = DesignSpace.from_dict(IMAGENET | {"limits": limits}).count()
    parts = []
    for block_type in ("conv", "prenorm", "convnext"):
        parts.append(DesignSpace.from_dict(IMAGENET | {"limits": limits, "block_type": block_type}))
    assert whole == sum(part.count() for part in parts) > 10**6


def test_what_is_too_large_is_told_and_not_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    space = tiny(limits={"params": 100_000, "macs": 300_000})
    with monkeypatch.context() as patch:
        patch.setattr(counting, "MOST_CORNERS", 10)
        said = r"^counting needs [1-9][0-9,]* comparisons, and 10 are allowed$"
        with pytest.raises(SpaceTooLarge, match=said):
            space.count()
    with monkeypatch.context() as patch:
        patch.setattr(cost_sums, "MOST_SUMS", 10)
        said = r"^counting needs more than 10 sums of costs, made of [0-9]+ × [0-9]+$"
        with pytest.raises(SpaceTooLarge, match=said):
            tiny(limits={"params": 100_000, "macs": 300_000}).count()
    with monkeypatch.context() as patch:
        patch.setattr(chain, "MOST_NODES", 3)
        crowded = tiny(limits={"inference_bytes": 10**6})
        said = r"^a limit of inference_bytes needs more than 3 cases a stage$"
        with pytest.raises(SpaceTooLarge, match=said):
            crowded.count()
        assert crowded.contains(crowded.sample(np.random.default_rng(0)))


def test_sums_are_the_same_however_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    one, other = (
        Sums(rng.integers(1, 50, (2, size)), rng.integers(1, 9, size)) for size in (23, 7)
    )
    whole = cost_sums.added(one, other, (60, 60))
    assert 0 < len(whole) < 23 * 7
    for chunk in (1, 20, 7 * 22):
        monkeypatch.setattr(cost_sums, "_CHUNK", chunk)
        found = cost_sums.added(one, other, (60, 60))
        assert np.array_equal(found.costs, whole.costs)
        assert np.array_equal(found.ways, whole.ways)


def test_sums_that_are_too_many_are_refused_before_they_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of all chunks together; and those that limits leave out are not among them."""
    one, other = (
        Sums(np.arange(size)[None] * step, np.ones(size, np.int64))
        for size, step in ((30, 1), (7, 30))
    )
    limits = (100,)
    within = (one.costs.T + other.costs <= 100).sum()
    for chunk in (1, 14, 1000):
        monkeypatch.setattr(cost_sums, "_CHUNK", chunk)
        monkeypatch.setattr(cost_sums, "MOST_SUMS", within)
        assert len(cost_sums.added(one, other, limits)) == within
        monkeypatch.setattr(cost_sums, "MOST_SUMS", within - 1)
        with pytest.raises(SpaceTooLarge) as error:
            cost_sums.added(one, other, limits)
        said = f"counting needs more than {within - 1} sums of costs, made of 30 × 7"
        assert str(error.value) == said


def test_ways_that_do_not_fit_into_64_bits_are_refused() -> None:
    def sums(*ways: int) -> Sums:
        return Sums(np.arange(len(ways))[None], np.array(ways, np.int64))

    half = 2**28
    most = sums(half, half - 1)
    assert sum(cost_sums.added(most, sums(2**27 - 1, 1), (9,)).ways.tolist()) < 2**56
    for one, other in (((half, half), (2**27,)), ((2**27, half), (half, 1))):
        with pytest.raises(SpaceTooLarge) as error:
            cost_sums.added(sums(*one), sums(*other), (9,))
        said = "part of this space alone has more than 72,057,594,037,927,936 points"
        assert str(error.value) == said
    asking = sums(3, 5)
    points = sums(2**55, 2**55 - 8)
    assert counting._pairs_within(points, asking, (1,)) == 3 * (2**56 - 8) + 5 * 2**55
    with pytest.raises(SpaceTooLarge) as error:
        counting._pairs_within(sums(2**55, 2**55), asking, (1,))
    assert str(error.value) == (
        "half of this space alone has more than 72,057,594,037,927,936 points"
    )


# --- drawing ----------------------------------------------------------------------------------


def deviation(counts: Counter[str], expected: set[str], each: int) -> float:
    """χ² against the uniform distribution, in standard deviations from its mean."""
    chi_square = sum((counts[point] - each) ** 2 / each for point in expected)
    degrees = max(1, len(expected) - 1)
    return (chi_square - degrees) / (2 * degrees) ** 0.5


TIGHT = [
    (3, {"params": 0.05, "macs": 0.08}),
    (40, {"params": 0.05, "macs": 0.08}),
    (40, {"params": 0.3, "macs": 0.1, "training_bytes": 0.2, "inference_bytes": 0.5}),
    (10, {"inference_bytes": 0.05}),
]


@pytest.mark.parametrize(("resolution", "shares"), TIGHT)
def test_the_grid_draws_uniformly_under_tight_limits(
    points: list[Architecture], resolution: int, shares: dict[str, float]
) -> None:
    space = tiny(limits=limited(points, shares))
    feasible = {point.id for point in space.enumerate()}
    assert 20 < len(feasible) < 0.1 * len(points)
    sampler = FeasibleSampler(space._feasible._chains)
    sampler._grids = [Grid(grid.chain, resolution**2) for grid in sampler._grids]
    rng = np.random.default_rng(5)
    counts: Counter[str] = Counter()
    for _ in range(15 * len(feasible)):
        drawn = sampler.draw(rng, 10_000)
        assert drawn is not None
        counts[drawn.id] += 1
    assert set(counts) <= feasible
    assert abs(deviation(counts, feasible, 15)) < 5


def test_where_no_grid_serves_the_points_are_listed(
    points: list[Architecture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("space.design.feasible.grid_sampling.RESOLUTIONS", ())
    space = tiny(limits=limited(points, {"params": 0.02, "macs": 0.02}))
    feasible = {point.id for point in space.enumerate()}
    sampler = FeasibleSampler(space._feasible._chains)
    rng = np.random.default_rng(5)
    drawn = [sampler.draw(rng, 1) for _ in range(15 * len(feasible))]
    counts = Counter(point.id for point in drawn if point is not None)
    assert abs(deviation(counts, feasible, 15)) < 5


def test_of_many_points_no_more_are_made_than_tell_that_they_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grid_sampling, "RESOLUTIONS", ())
    monkeypatch.setattr(grid_sampling, "LISTED", 5)
    made = 0

    def counted(chain: Chain) -> Iterator[Any]:
        nonlocal made
        for stages in list_stages(chain):
            made += 1
            yield stages

    monkeypatch.setattr(grid_sampling, "list_stages", counted)
    sampler = FeasibleSampler(tiny()._feasible._chains)
    assert sampler.draw(np.random.default_rng(0), 1) is None
    assert made == 6


def test_one_network_in_a_million_is_drawn_at_once_and_again() -> None:
    space = DesignSpace.from_dict(IMAGENET | {"limits": LIMITS[1]})
    rng = np.random.default_rng(3)
    drawn = [space.sample(rng) for _ in range(60)]
    assert len({point.id for point in drawn}) == 60
    assert all(space.contains(point) for point in drawn)
    again = DesignSpace.from_dict(IMAGENET | {"limits": LIMITS[1]})
    rng = np.random.default_rng(3)
    assert [again.sample(rng).id for _ in range(10)] == [point.id for point in drawn[:10]]


def test_first_points_are_found_under_tight_limits() -> None:
    space = DesignSpace.from_dict(IMAGENET | {"limits": {"macs": "0.7G"}, "block_type": "convnext"})
    points = dict(space.initial_points(["named"], np.random.default_rng(0)))
    assert "named:DW-S Conv." in points
    assert all(space.contains(point) for point in points.values())


def test_draws_under_loose_limits_are_those_of_plain_drawing() -> None:
    space = small(limits={"params": "1M"})
    rng, other = np.random.default_rng(9), np.random.default_rng(9)
    assert [space.sample(rng) for _ in range(20)] == [small().sample(other) for _ in range(20)]


# --- the arithmetic ---------------------------------------------------------------------------


AXES = st.integers(0, 4)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 700),
    st.integers(0, 300),
    st.booleans(),
    AXES,
)
@settings(max_examples=40, deadline=None)
def test_dominance_counting_is_that_of_loops(
    seed: int, size: int, corners: int, crowded: bool, quantities: int
) -> None:
    rng = np.random.default_rng(seed)
    spread = 20 if crowded else 10**12
    costs = rng.integers(0, spread, (quantities, size))
    ways = rng.integers(1, 1000, size)
    asked = rng.integers(-2, spread + 2, (quantities, corners))
    below = (costs[:, None] <= asked[:, :, None]).all(axis=0)
    found = ways_within(Sums(costs, ways), asked)
    assert (found == (below * ways).sum(axis=1)).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 900), st.sampled_from([4, 30, 10**6]), AXES)
@settings(max_examples=40, deadline=None)
def test_a_front_is_what_nothing_undercuts(
    seed: int, size: int, spread: int, quantities: int
) -> None:
    costs = np.random.default_rng(seed).integers(0, spread, (quantities, size))
    distinct = sorted({tuple(row) for row in costs.T.tolist()})
    expected = [
        one
        for one in distinct
        if not any(
            other != one and all(a <= b for a, b in zip(other, one, strict=True))
            for other in distinct
        )
    ]
    assert front(Sums(costs, np.ones(size, np.int64))).vectors() == expected


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=20))
@example([(2**31, 2**31)] * 2)  # 2⁶³ together, and no single one of them too large
def test_products_are_exact_beyond_64_bits(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    assert exact_product(one, other) == sum(math.prod(pair) for pair in pairs)
