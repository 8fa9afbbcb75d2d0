"""What every searcher must keep, as checks on spaces and recorded studies.

A study is played by `play`: several points run at the same time, report curves, and end in any
order and in any way. What was told and asked is recorded, so that it can be told again.
"""

import copy
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from search.objectives import Constraint, Goals, Objective
from search.searchers import Exhausted, Observation, Searcher, Task, make_searcher
from search.trial_states import EVALUATED, TrialState
from space import DesignSpace
from tests.search.small import SPACE
from tests.search.toy import Bare, Corner, Lattice, ToySpace

FIDELITIES = 9
ACCURACY, COST, NOISE = Objective("accuracy"), Objective("cost", "minimise"), Objective("noise")
GOALS = {
    1: Goals((ACCURACY,)),
    2: Goals((ACCURACY, COST)),
    3: Goals((ACCURACY, COST, NOISE)),
}
ENDINGS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.INFEASIBLE)


@dataclass(frozen=True)
class Case:
    """A space with figures: accuracy is measured, cost is known, noise is measured."""

    name: str
    space: Any
    accuracy: Callable[[Any], float]
    count: int | None = None

    def task(self, objectives: int = 1, constraints: Sequence[Constraint] = ()) -> Task[Any]:
        goals = Goals(GOALS[objectives].objectives, tuple(constraints))
        return Task(self.space, goals, self.known, FIDELITIES)

    def known(self, point: Any) -> dict[str, float]:
        return {"cost": float(np.sum(np.abs(self.space.encode(point))))}

    def values(self, point: Any, fidelity: int = FIDELITIES) -> dict[str, float]:
        """Figures that come near the final ones as the fidelity rises."""
        final, off = self.accuracy(point), float(np.sin(sum(self.space.encode(point))))
        return {"accuracy": final * (1 - 1 / (1 + fidelity)) + off / fidelity / 9, "noise": off}


def _design(values: object) -> DesignSpace:
    return DesignSpace.from_dict(values)


def _fraction(space: Any) -> Callable[[Any], float]:
    """A smooth figure of the encoding, for spaces that have none of their own."""
    return lambda point: float(np.tanh(np.mean(space.encode(point))))


def cases() -> list[Case]:
    """Vision, conditional, without decisions, and too large to be tried out."""
    toy, tiny = ToySpace(), _design(SPACE)
    cells = DesignSpace.from_yaml(Path(__file__).parents[2] / "configs/spaces/fashion-cells.yaml")
    return [
        Case("tiny-vision", tiny, _fraction(tiny), tiny.count()),
        Case("vision", cells, _fraction(cells)),
        Case("conditional", toy, toy.value, len(toy.points())),
        Case("bare", Bare(toy), toy.value, len(toy.points())),
        Case("lattice", Lattice(), Lattice().value),
    ]


def rare() -> Case:
    """A space of which the constraint on its known cost leaves next to nothing.

    Not among `cases`, since every random point of it takes hundreds of draws.
    """
    return Case("rare", Corner(), Corner().value, (Corner.reach + 1) * (Corner.reach + 2) // 2)


@dataclass
class Recording:
    """What was told, in order, and what was asked after how many tellings."""

    told: list[tuple[Any, Observation]] = field(default_factory=list)
    asked: list[tuple[int, Any]] = field(default_factory=list)

    @property
    def points(self) -> list[Any]:
        return [point for _, point in self.asked]


def play(
    searcher: Searcher[Any],
    case: Case,
    trials: int,
    *,
    workers: int = 3,
    endings: Mapping[TrialState, float] | None = None,
    seed: int = 0,
) -> Recording:
    """A study of so many trials; which trial goes on, and how it ends, is drawn."""
    rng = np.random.default_rng([seed, 99])
    shares = endings or dict(zip(ENDINGS, (0.5, 0.3, 0.1, 0.1), strict=True))
    recording, running = Recording(), {}
    keys: dict[Hashable, int] = {}

    def tell(point: Any, observation: Observation) -> None:
        recording.told.append((point, observation))
        before = copy.deepcopy(observation)
        searcher.tell(point, observation)
        assert observation == before, "a searcher changed what it was told"

    while len(recording.asked) < trials or running:
        if len(running) < workers and len(recording.asked) < trials:
            point = searcher.ask()
            key = case.space.key(point)
            assert key not in keys, f"{point} was proposed twice"
            keys[key] = len(keys)
            recording.asked.append((len(recording.told), point))
            running[key] = (
                point,
                {},
                TrialState(rng.choice(list(shares), p=list(shares.values()))),
            )
            tell(point, Observation(TrialState.RUNNING))
            continue
        key = list(running)[int(rng.integers(len(running)))]
        point, curve, ending = running[key]
        if ending in EVALUATED:
            curve[len(curve) + 1] = case.values(point, len(curve) + 1)
        if ending == TrialState.COMPLETE and len(curve) < FIDELITIES:
            tell(point, Observation(TrialState.RUNNING, curve[len(curve)], dict(curve)))
            continue
        del running[key]
        tell(point, Observation(ending, curve.get(len(curve), {}), dict(curve)))
    return recording


def retold(
    name: str,
    task: Task[Any],
    seed: int,
    told: Sequence[Any],
    options: Mapping[str, Any] | None = None,
) -> Searcher[Any]:
    """A new searcher that was told the same."""
    searcher = make_searcher(name, task, seed, options)
    for point, observation in told:
        searcher.tell(point, observation)
    return searcher


def finish(searcher: Searcher[Any], case: Case, known: int) -> list[Any]:
    """Ask until nothing is left."""
    found = []
    try:
        for _ in range((case.count or 0) - known + 1):
            point = searcher.ask()
            found.append(point)
            searcher.tell(point, Observation(TrialState.RUNNING))
            searcher.tell(point, Observation(TrialState.COMPLETE, case.values(point), {}))
    except Exhausted:
        return found
    raise AssertionError(
        f"{len(found)} points were proposed where {known} of {case.count} were new"
    )


def pairs(names: Sequence[str]) -> list[tuple[str, Case]]:
    """Every searcher with every space that it takes."""
    return list(product(names, cases()))
