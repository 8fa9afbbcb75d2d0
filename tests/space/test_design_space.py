"""The points of a design space: counting, drawing, walking, moving."""

from collections import Counter

import numpy as np
import pytest

from space import Architecture, DesignSpace, Infeasible, InputError, Mixer, cost
from space.design.decisions import Read, Value
from space.design.mixer_moves import size_moves
from tests.space.spaces import EVERYTHING, every_point, everything, small


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
