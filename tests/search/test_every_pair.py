"""Every searcher under every scheduler: on several spaces, with two objectives, to exhaustion."""

from collections.abc import Iterator
from typing import Any

import pytest

from search import optimize
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from search.testing.searcher_suite import CASES

pytestmark = [pytest.mark.usefixtures("coarse_gp", "small_reservoir"), pytest.mark.thorough]


@pytest.mark.parametrize("scheduler", SCHEDULERS.built_in)
@pytest.mark.parametrize("searcher", SEARCHERS.built_in)
@pytest.mark.parametrize("space", ["vision", "tiny-vision", "conditional"])
def test_every_searcher_runs_under_every_scheduler(
    space: str, searcher: str, scheduler: str
) -> None:
    """No point twice, the same again with the same seed, and stops only where there may be some.

    That a searcher asks the same again is held on every space by its own suite; what the pairs add
    to that is the same in any space.
    """
    case = CASES[space]

    def objective(point: Any) -> Iterator[float]:
        yield from (case.values(point, epoch)["accuracy"] for epoch in range(1, 10))

    def run() -> list[tuple[Any, str]]:
        result = optimize(case.space, objective, searcher, scheduler, 13, 1, fidelities=9)
        return [(evaluation.point, evaluation.state) for evaluation in result.evaluations]

    found = run()
    assert len({case.space.key(point) for point, _ in found}) == len(found) == 13
    states = {state for _, state in found}
    assert "complete" in states
    assert states <= ({"complete"} if scheduler == "none" else {"complete", "pruned"})
    if space == "conditional":
        assert run() == found


@pytest.mark.parametrize("scheduler", ["hyperband", "moasha"])
@pytest.mark.parametrize("searcher", SEARCHERS.built_in)
def test_every_searcher_under_those_schedulers_that_take_two_objectives(
    searcher: str, scheduler: str
) -> None:
    """A front of points, none of them twice, and the same again with the same seed."""
    case = CASES["conditional"]

    def objective(point: Any) -> Iterator[dict[str, float]]:
        yield from (case.values(point, epoch) for epoch in range(1, 10))

    def run() -> list[tuple[Any, str]]:
        wanted = {"accuracy": "maximise", "noise": "minimise"}
        result = optimize(
            case.space, objective, searcher, scheduler, 16, 2, objectives=wanted, fidelities=9
        )
        assert result.front
        return [(evaluation.point, evaluation.state) for evaluation in result.evaluations]

    found = run()
    assert len({case.space.key(point) for point, _ in found}) == len(found) == 16
    assert {state for _, state in found} == {"complete", "pruned"}
    assert run() == found


@pytest.mark.parametrize("searcher", SEARCHERS.built_in)
def test_every_searcher_under_halving_ends_with_every_point(searcher: str) -> None:
    """Stopped points count as tried: none is proposed again, and none is left out."""
    case = CASES["conditional"]

    def objective(point: Any) -> Iterator[float]:
        yield from (case.values(point, epoch)["accuracy"] for epoch in range(1, 10))

    result = optimize(case.space, objective, searcher, "asha", 60, 3, fidelities=9)
    assert result.exhausted == f"all {case.count} points that can be reached are in the study"
    keys = [case.space.key(evaluation.point) for evaluation in result.evaluations]
    assert len(set(keys)) == len(keys) == case.count
    assert {evaluation.state for evaluation in result.evaluations} == {"complete", "pruned"}
