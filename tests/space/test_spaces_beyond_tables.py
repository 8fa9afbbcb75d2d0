"""Where tables of costs would be too large, it is drawn instead."""

from typing import Any, NoReturn

import numpy as np
import pytest

from space import DesignSpace
from space.design import Limits
from space.design.feasible import FeasibleSet, SpaceTooLarge, feasible_set
from tests.space.spaces import small

LEAST = 3_400
"""Of parameters: one network in twenty has no more."""


def limited(**limits: Any) -> FeasibleSet:
    space: DesignSpace = small()
    kept = Limits.from_dict(limits, "limits")
    return FeasibleSet(space.frame, space.block_types, kept, space.stage_options)


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No table can be made; the numbers of draws are small. Who has asked for one."""
    asked: list[str] = []

    def table(name: str) -> Any:
        def refuse(*_: Any) -> NoReturn:
            asked.append(name)
            raise SpaceTooLarge("a table of more than all memory")

        return refuse

    monkeypatch.setattr(feasible_set, "Frontier", table("frontier"))
    monkeypatch.setattr(feasible_set, "FeasibleSampler", table("sampler"))
    monkeypatch.setattr(feasible_set, "TRIES", 300)
    monkeypatch.setattr(feasible_set, "PROBES", 20)
    return asked


def test_what_is_empty_is_told_from_draws(too_large: list[str]) -> None:
    assert limited(params=1).is_empty()
    assert not limited(params=LEAST).is_empty()
    assert too_large == ["frontier"] * 2


def test_it_is_drawn_where_no_table_can_be_made(
    too_large: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = limited(params=LEAST)
    monkeypatch.setattr(feasible_set, "OFTEN", 21)
    found = rare.sample(np.random.default_rng(0))
    assert too_large == ["sampler"]
    assert found is not None
    assert not rare.limits.violations(found)
    assert found == rare.draw(np.random.default_rng(0), 300)
    assert limited(params=1).sample(np.random.default_rng(0)) is None


def test_a_part_that_is_drawn_from_once_is_drawn_from_longer(
    too_large: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = limited(params=LEAST)
    monkeypatch.setattr(feasible_set, "PROBES", 0)
    found = rare.sample_once(np.random.default_rng(3))
    assert found == rare.draw(np.random.default_rng(3), 300)
    assert found is not None
    assert too_large == ["sampler"]
    assert limited(params=1).sample_once(np.random.default_rng(0)) is None
    assert limited().sample_once(np.random.default_rng(0)) is None
    assert too_large == ["sampler"] * 2, "without limits every draw is feasible"
