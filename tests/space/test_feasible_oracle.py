"""What is folded over a chain, against every way written out, of random spaces and limits."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space import Architecture, DesignSpace, InputError, cost
from space.cost import memory
from space.cost.piece_costs import Vector
from space.design.feasible.chain import OUTSIDE, Chain, Node
from space.design.feasible.cost_sums import plus
from space.design.feasible.fold import Fold
from space.design.feasible.frontier import Frontier
from space.design.feasible.grid_sampling import FeasibleSampler, Grid
from tests.space.spaces import every_point

QUANTITIES = ("params", "macs", "training_bytes", "inference_bytes")
LIMITED = [
    ("inference_bytes",),
    ("params", "macs"),
    ("macs", "inference_bytes"),
    ("training_bytes",),
    QUANTITIES,
]
LINES: list[dict[str, Any]] = [
    {"operator": "dw-s conv", "kernel_size": [1, 3, 5]},
    {"operator": "dynamic dw-s conv", "kernel_size": 3},
    {"operator": "local vit", "kernel_size": 2, "heads": [1, 2], "shift": [True, False]},
    {"operator": "lr mlp", "ratio": 16},
    {"operator": "pvt", "heads": 2, "ratio": 2},
]


def some(values: Sequence[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


WIDTHS = [[4, 8], [8, 48], [16, 96]]
"""Stages that grow, so that the peak may be in any of them, beside what the earlier ones hold."""


def stage(widths: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "depth": st.integers(1, 3),
            "width": st.just(widths),
            "mlp_ratio": some([0.5, 1, 2]),
            "pattern": st.integers(1, 2),
            "mixers": st.sampled_from(LINES).map(lambda line: [line]),
        }
    )


SPACE = st.fixed_dictionaries(
    {
        # Sometimes what is largest is the stem, the step to a wide stage, or the head.
        "input": st.sampled_from([2, 1, 60]).map(
            lambda channels: {"channels": channels, "height": 12, "width": 16}
        ),
        "classes": st.sampled_from([3, 4, 20_000]),
        "stem": st.fixed_dictionaries(
            {"patch_size": some([2, 4]), "type": st.sampled_from(["patch", "overlap", "pool"])}
        ),
        "block_type": st.sampled_from(["conv", "prenorm", "convnext"]),
        "downsample": st.sampled_from(["merge", "conv"]),
        "stages": st.sampled_from([2, 3, 1])
        .flatmap(lambda n: st.tuples(*map(stage, WIDTHS[:n])))
        .map(list),
    }
)


def spent(point: Architecture) -> dict[str, int]:
    return asdict(cost(point)) | asdict(memory(point))


@st.composite
def limited_spaces(draw: st.DrawFn) -> tuple[dict[str, Any], list[Architecture], dict[str, int]]:
    """A space file, all its points without limits, and limits that some points may keep."""
    values = draw(SPACE.filter(lambda values: 1 < size(values) <= 300))
    points = every_point(DesignSpace.from_dict(values))
    limits = {}
    for name in draw(st.sampled_from(LIMITED)):
        sorted_ones = sorted(spent(point)[name] for point in points)
        limits[name] = sorted_ones[draw(st.integers(0, len(points) - 1))] - draw(st.integers(0, 1))
    return values, points, limits


def size(values: dict[str, Any]) -> int:
    try:
        return DesignSpace.from_dict(values).size_hint()
    except InputError:  # no width fits
        return 0


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(limited_spaces(), st.integers(0, 2**32 - 1))
def test_feasible_points_are_those_of_brute_force(
    drawn: tuple[dict[str, Any], list[Architecture], dict[str, int]], seed: int
) -> None:
    values, points, limits = drawn
    feasible = {
        point.id
        for point in points
        if all(spent(point)[name] <= limit for name, limit in limits.items())
    }
    if not feasible:
        with pytest.raises(InputError, match=r"limits: no architecture of this space is feasible"):
            DesignSpace.from_dict(values | {"limits": limits})
        return
    space = DesignSpace.from_dict(values | {"limits": limits})
    listed = [point.id for point in space.enumerate()]
    assert len(listed) == space.count() == len(feasible)
    assert set(listed) == feasible
    rng = np.random.default_rng(seed)
    sampler = FeasibleSampler(space._feasible._chains)
    assert {sampler.draw(rng, 1000).id for _ in range(5)} <= feasible  # type: ignore[union-attr]
    assert {space.sample(rng).id for _ in range(5)} <= feasible
    for name, (needs, point) in space._feasible.least().items():
        assert needs == spent(point)[name] == min(spent(each)[name] for each in points)
    for chain in space._feasible._chains:
        check_fold(chain, rng)


# --- the fold itself --------------------------------------------------------------------------


class Words:
    """The semiring that forgets nothing: every way through nodes, as a tuple of them."""

    def one(self) -> list[tuple[Node, ...]]:
        return [()]

    def join(self, ways: list[list[tuple[Node, ...]]]) -> list[tuple[Node, ...]]:
        return [word for way in ways for word in way]

    def along(
        self, value: list[tuple[Node, ...]], gap: int, link: tuple[Node, Node]
    ) -> list[tuple[Node, ...]]:
        return value

    def through(
        self, value: list[tuple[Node, ...]], stage: int, node: Node
    ) -> list[tuple[Node, ...]]:
        return [(*word, node) for word in value]


def rests(chain: Chain, stage: int, node: Node) -> Iterator[Vector]:
    """The cost of every way on after a stage, table rows in all combinations."""
    for (before, after), step in chain.links[stage + 1].items():
        if before == node and after == OUTSIDE:
            yield step
        elif before == node:
            for row in chain.tables[stage + 1][after].sums.vectors():
                for rest in rests(chain, stage + 1, after):
                    yield plus(plus(step, row), rest)


def check_fold(chain: Chain, rng: np.random.Generator) -> None:
    """Both directions meet the same ways; fronts and grids are those of ways written out."""
    forward, backward = (Fold(chain, Words(), backward=back).total() for back in (False, True))
    assert sorted(forward) == sorted(word[::-1] for word in backward)
    if not chain.limits.summed:
        return
    bounds, frontier = chain.limits.bounds, Frontier(chain)
    for stage, nodes in enumerate(chain.nodes):
        for node in nodes[:3]:
            on = list(itertools.islice(rests(chain, stage, node), 20_000))
            if len(on) < 20_000:
                so_far = tuple(int(rng.integers(bound + 1)) for bound in bounds)
                sums = [plus(so_far, rest) for rest in on]
                assert frontier.can_end(stage, node, so_far) == any(map(keeps(bounds), sums))
    if not frontier.is_empty():
        grid = Grid(chain, int(rng.integers(2, 400)))
        assert grid.ways == pytest.approx(sum(grid_ways(grid, 0, OUTSIDE, grid._top)))


def keeps(bounds: Vector) -> Any:
    return lambda sums: all(a <= b for a, b in zip(sums, bounds, strict=True))


def grid_ways(grid: Grid, gap: int, node: Node, left: Vector) -> Iterator[int]:
    """Ways from a node to the end for which cells are left, one by one."""
    for (before, after), step in grid.chain.links[gap].items():
        if before != node:
            continue
        rest = np.array(left) - (0 if OUTSIDE in (before, after) else grid._cell_of(gap, step))
        if after == OUTSIDE and (rest >= 0).all():
            yield 1
        elif after != OUTSIDE:
            table = grid._sums[gap][after]
            for cells, ways in zip(grid._cells[gap][after].T, table.ways.tolist(), strict=True):
                if (rest - cells >= 0).all():
                    for others in grid_ways(grid, gap + 1, after, tuple(rest - cells)):
                        yield ways * others
