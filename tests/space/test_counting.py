"""Counting, enumerating and drawing under hard limits, against spaces small enough to list."""

import copy
import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.space import IMAGENET, LIMITS
from space import Architecture, DesignSpace, InputError, cost
from space.design import TooLarge, counting, sums
from space.design.dominance import exact_product, ways_within
from space.design.feasible import FeasibleSampler
from space.design.frontier import front
from space.design.grid import Grid
from space.design.sums import Sums
from tests.space.spaces import EVERYTHING
from tests.space.test_design_space import every_point, small

TINY: dict[str, Any] = {
    "input": {"channels": 2, "height": 12, "width": 16},
    "classes": 3,
    "stem": {"patch_size": [2, 4]},
    "scaffold": ["prenorm", "convnext"],
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


def quantile(points: list[Architecture], name: str, share: float) -> int:
    return sorted(getattr(cost(point), name) for point in points)[int(share * len(points))]


LIMITED = [(0.6, 0.5), (0.1, None), (None, 0.15), (0.02, 0.3), (0.3, 0.01), (0.0, 1 / 3)]


def limited(points: list[Architecture], params: float | None, macs: float | None) -> dict[str, int]:
    limits = {}
    if params is not None:
        limits["params"] = quantile(points, "params", params)
    if macs is not None:
        limits["macs"] = quantile(points, "macs", macs)
    return limits


# --- counting and listing ---------------------------------------------------------------------


@pytest.mark.parametrize(("params", "macs"), LIMITED)
def test_count_and_list_are_those_of_brute_force(
    points: list[Architecture], params: float | None, macs: float | None
) -> None:
    limits = limited(points, params, macs)
    open_space = tiny()
    space = tiny(limits=limits)
    feasible = {p.id for p in points if not space.violations(p)}
    listed = [point.id for point in space.enumerate()]
    assert len(listed) == len(set(listed)) == space.count() == len(feasible)
    assert set(listed) == feasible
    assert len(points) == open_space.size_hint() == open_space.count()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_random_spaces_are_counted_as_they_are_listed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = copy.deepcopy(EVERYTHING)
    values["mixers"] = [values["mixers"][0] | {"kernel_size": 3, "groups": 2, "bias": True}]
    for stage in values["stages"]:
        stage["width"] = rng.choice([8, 12, 16, 24], size=2).tolist()
        stage["depth"] = rng.integers(1, 4, size=1).tolist()
        stage["pattern"] = 1
    values["stages"] = values["stages"][: rng.integers(1, 4)]
    open_space = DesignSpace.from_dict(values)
    drawn = [cost(open_space.sample(rng)) for _ in range(100)]
    limits = {
        "params": min(spent.params for spent in drawn) + int(rng.integers(3000)),
        "macs": min(spent.macs for spent in drawn) + int(rng.integers(10**6)),
    }
    try:
        space = DesignSpace.from_dict(values | {"limits": limits})
    except InputError:
        assert all(p > limits["params"] or m > limits["macs"] for p, m in costs(drawn))
        return
    listed = list(itertools.islice(space.enumerate(), 400))
    assert all(space.contains(point) for point in listed[:10])
    if len(listed) < 400:
        assert space.count() == len({point.id for point in listed}) == len(listed)
    else:
        assert space.count() >= 400


def costs(drawn: list[Any]) -> list[tuple[int, int]]:
    return [(spent.params, spent.macs) for spent in drawn]


def test_one_stage_and_one_network() -> None:
    space = tiny(stages=[{"depth": 1, "width": 4, "mixers": ["sep. mlp"]}], scaffold="conv")
    assert [p.stem.patch_size for p in space.enumerate()] == [2, 4]
    least = min(cost(point).params for point in space.enumerate())
    only = tiny(
        stages=[{"depth": 1, "width": 4, "mixers": ["sep. mlp"]}],
        scaffold="conv",
        limits={"params": least},
    )
    assert only.count() == 1
    assert only.sample(np.random.default_rng(0)) == next(only.enumerate())


def test_a_feasible_point_off_both_extremes_is_found() -> None:
    """The cheapest in params breaks the MACs, and the other way round; what is between fits."""
    space = tiny()
    found = sorted({(cost(p).params, cost(p).macs) for p in space.enumerate()})
    params, macs = np.array(found).T
    edge = front(Sums(params, macs, np.ones_like(params)))
    assert len(edge) >= 3
    middle = len(edge) // 2
    limits = {"params": int(edge.params[middle]), "macs": int(edge.macs[middle])}
    space = tiny(limits=limits)
    assert 1 <= space.count() == len(list(space.enumerate()))
    assert space.sample(np.random.default_rng(0)).id in {p.id for p in space.enumerate()}
    with pytest.raises(InputError, match="no architecture of this space is feasible"):
        tiny(limits={"params": limits["params"], "macs": limits["macs"] - 1})


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
    values = copy.deepcopy(IMAGENET) | {"scaffold": "convnext", "limits": {"macs": "0.7G"}}
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
    for scaffold in ("conv", "prenorm", "convnext"):
        parts.append(DesignSpace.from_dict(IMAGENET | {"limits": limits, "scaffold": scaffold}))
    assert whole == sum(part.count() for part in parts) > 10**6


def test_what_is_too_large_is_told_and_not_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    space = tiny(limits={"params": 100_000, "macs": 300_000})
    with monkeypatch.context() as patch:
        patch.setattr(counting, "MOST_CORNERS", 10)
        with pytest.raises(TooLarge, match=r"comparisons, and 10 are allowed"):
            space.count()
    with monkeypatch.context() as patch:
        patch.setattr(sums, "MOST_SUMS", 10)
        with pytest.raises(TooLarge, match="more than 10 sums"):
            tiny(limits={"params": 100_000, "macs": 300_000}).count()


# --- drawing ----------------------------------------------------------------------------------


def deviation(counts: Counter[str], expected: set[str], each: int) -> float:
    """χ² against the uniform distribution, in standard deviations from its mean."""
    chi_square = sum((counts[point] - each) ** 2 / each for point in expected)
    degrees = max(1, len(expected) - 1)
    return (chi_square - degrees) / (2 * degrees) ** 0.5


@pytest.mark.parametrize("resolution", [3, 40])
def test_the_grid_draws_uniformly_under_tight_limits(
    points: list[Architecture], resolution: int
) -> None:
    space = tiny(limits=limited(points, 0.05, 0.08))
    feasible = {point.id for point in space.enumerate()}
    assert 20 < len(feasible) < 0.1 * len(points)
    sampler = FeasibleSampler(space._population._chains)
    sampler._grids = [Grid(grid.chain, resolution) for grid in sampler._grids]
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
    monkeypatch.setattr("space.design.feasible.RESOLUTIONS", ())
    space = tiny(limits=limited(points, 0.02, 0.02))
    feasible = {point.id for point in space.enumerate()}
    sampler = FeasibleSampler(space._population._chains)
    rng = np.random.default_rng(5)
    drawn = [sampler.draw(rng, 1) for _ in range(15 * len(feasible))]
    counts = Counter(point.id for point in drawn if point is not None)
    assert abs(deviation(counts, feasible, 15)) < 5


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
    space = DesignSpace.from_dict(IMAGENET | {"limits": {"macs": "0.7G"}, "scaffold": "convnext"})
    points = dict(space.initial_points(["named"], np.random.default_rng(0)))
    assert "named:DW-S Conv." in points
    assert all(space.contains(point) for point in points.values())


def test_draws_under_loose_limits_are_those_of_plain_drawing() -> None:
    space = small(limits={"params": "1M"})
    rng, other = np.random.default_rng(9), np.random.default_rng(9)
    assert [space.sample(rng) for _ in range(20)] == [small().sample(other) for _ in range(20)]


# --- the arithmetic ---------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.integers(0, 300), st.booleans())
@settings(max_examples=40, deadline=None)
def test_dominance_counting_is_that_of_two_loops(
    seed: int, size: int, corners: int, crowded: bool
) -> None:
    rng = np.random.default_rng(seed)
    spread = 20 if crowded else 10**12
    params, macs = rng.integers(0, spread, (2, size))
    ways = rng.integers(1, 1000, size)
    at_params, at_macs = rng.integers(-2, spread + 2, (2, corners))
    below = (params <= at_params[:, None]) & (macs <= at_macs[:, None])
    found = ways_within(Sums(params, macs, ways), at_params, at_macs)
    assert (found == (below * ways).sum(axis=1)).all()


@given(st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=20))
def test_products_are_exact_beyond_64_bits(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    assert exact_product(one, other) == sum(math.prod(pair) for pair in pairs)
