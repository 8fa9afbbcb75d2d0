"""The vectorised cost: equal to the plain one, to the last digit."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from space import Architecture, DesignSpace, InputError, Mixer, cost, mixer_type_named
from space.cost import memory
from space.design import CostTable
from tests.space.spaces import EVERYTHING, everything
from tests.space.strategies import type_fields
from tests.space.test_cost import UnseenCounter, assert_exact


def rows(fields: tuple[np.ndarray, ...]) -> list[tuple[int, ...]]:
    return list(zip(*(field.tolist() for field in fields), strict=True))


@pytest.fixture(scope="module")
def table() -> CostTable:
    return CostTable(everything())


def test_batch_equals_single_on_a_thousand_architectures(table: CostTable) -> None:
    rng = np.random.default_rng(0)
    architectures = [table.space.sample(rng) for _ in range(1_000)]
    batch = table.costs(table.encode(architectures))
    assert rows(batch) == [astuple(cost(item)) for item in architectures]


@pytest.mark.parametrize("batch_size", [1, 7])
def test_memory_in_batch_equals_single(batch_size: int) -> None:
    table, rng = CostTable(everything(), batch_size), np.random.default_rng(1)
    codes = table.draw(rng, 100)
    expected = [astuple(memory(item, batch_size)) for item in table.decode(codes)]
    assert rows(table.memory(codes)) == expected


@pytest.mark.parametrize("kind", ["overlap", "pool"])
def test_stems_of_every_type_cost_the_same_in_batch(kind: str) -> None:
    stem = {"patch_size": [2, 4, 6], "type": kind}
    space = DesignSpace.from_dict(EVERYTHING | {"stem": stem, "layer_scale": 1.0})
    table, rng = CostTable(space), np.random.default_rng(2)
    drawn = [space.sample(rng) for _ in range(50)]
    codes = table.encode(drawn)
    assert rows(table.costs(codes)) == [astuple(cost(one)) for one in drawn]
    assert rows(table.memory(codes)) == [astuple(memory(one)) for one in drawn]
    assert table.decode(codes) == drawn


def test_codes_and_architectures_are_one_to_one(
    table: CostTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseen = UnseenCounter(monkeypatch)
    codes = table.draw(np.random.default_rng(2), 300)
    architectures = table.decode(codes)
    assert np.array_equal(table.encode(architectures), codes)
    assert len({item.id for item in architectures}) == len({tuple(row) for row in codes.tolist()})
    for item in architectures[:10]:
        assert_exact(item, unseen)


def test_every_point_of_a_small_space_is_drawn_equally_often() -> None:
    space = DesignSpace.from_dict(
        EVERYTHING
        | {
            "mixers": [{"operator": ["dw-s conv.", "local vit"], "kernel_size": 3, "heads": 4}],
            "stages": [{"depth": [1, 2], "width": [8, 12], "mlp_ratio": 1, "pattern": 2}],
        }
    )
    table = CostTable(space)
    codes = table.draw(np.random.default_rng(3), 20_000)
    drawn, counts = np.unique(codes, axis=0, return_counts=True)
    assert len(drawn) == space.size_hint()
    assert counts.min() > 0.8 * counts.mean()
    assert counts.max() < 1.2 * counts.mean()


def test_no_architectures_cost_nothing(table: CostTable) -> None:
    codes = table.encode([])
    assert codes.shape == table.draw(np.random.default_rng(0), 0).shape
    assert all(len(field) == 0 for field in table.costs(codes))


def changed(architecture: Architecture, change: str) -> Architecture:
    stages = architecture.stages
    if change == "width":
        return replace(architecture, stages=(replace(stages[0], width=48), *stages[1:]))
    if change == "mixer":
        mixer = Mixer.from_dict(type_fields(mixer_type_named("dw-s conv.")) | {"kernel_size": 7})
        return replace(architecture, stages=(replace(stages[0], mixers=(mixer,)), *stages[1:]))
    return replace(architecture, stages=stages[:2])


@pytest.mark.parametrize(
    ("change", "where"),
    [("width", "[1].stages[0]"), ("mixer", "[1].stages[0].mixers"), ("fewer", "[1]")],
)
def test_what_is_not_in_the_space_is_refused(table: CostTable, change: str, where: str) -> None:
    inside = table.space.sample(np.random.default_rng(4))
    outside = changed(inside, change)
    with pytest.raises(InputError) as refused:
        table.encode([inside, outside])
    assert f"architectures{where}" in str(refused.value)
