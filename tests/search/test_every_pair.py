"""Every searcher under every scheduler, on a vision space, a tiny one and a conditional one."""

from collections.abc import Iterator
from typing import Any

import pytest

from search import optimize
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from tests.search.searcher_conformance import cases


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("searcher", SEARCHERS)
@pytest.mark.parametrize("space", ["vision", "tiny-vision", "conditional"])
def test_every_searcher_runs_under_every_scheduler(
    space: str, searcher: str, scheduler: str
) -> None:
    """No point twice, the same again with the same seed, and stops only where there may be some."""
    case = {each.name: each for each in cases()}[space]

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
    assert run() == found
