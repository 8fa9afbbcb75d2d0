"""Simulated workers: costs, order and ends, worked out by hand."""

from collections.abc import Iterable

import pytest

from benchmarks.replay.method import Method
from benchmarks.replay.simulate import Simulation, Simulator
from benchmarks.table.read import Training
from search.searchers import Exhausted
from search.trial_states import TrialState


class Script(Method):
    """Proposes the given names, and stops a trial after the first epoch where it is told to."""

    def __init__(self, names: Iterable[str], stop: tuple[str, ...] = ()) -> None:
        self.names, self.stop = iter(names), stop
        self.of: dict[int, str] = {}
        self.events: list[tuple[object, ...]] = []

    def start(self, trial: int) -> str:
        name = next(self.names, None)
        if name is None:
            raise Exhausted("no more names")
        self.of[trial] = name
        self.events.append(("start", name))
        return name

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        self.events.append(("report", self.of[trial], epoch, accuracy))
        return self.of[trial] in self.stop

    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        self.events.append(("end", self.of[trial], state, accuracy))


def training(*curve: float, seconds: float, failure: str | None = None) -> Training:
    return Training(curve, curve, (seconds,) * len(curve), "cpu", failure)


TRAININGS = {
    "slow": training(0.1, 0.3, 0.2, seconds=10),
    "fast": training(0.4, 0.5, 0.6, seconds=4),
    "broken": training(0.9, 0.9, seconds=1, failure="nan"),
    "dead": training(seconds=1, failure="nan"),
}


def simulate(method: Method, *, workers: int = 2, budget: float = 1000) -> Simulation:
    made = Simulator(method, TRAININGS.__getitem__, workers=workers, budget=budget, most_trials=50)
    return made.run()


def test_two_workers_run_at_the_same_time() -> None:
    method = Script(["slow", "fast", "fast"])
    result = simulate(method)
    ends = [(e.architecture_id, e.state, e.accuracy, e.cost, e.clock) for e in result.ended]
    assert ends == [
        ("fast", "complete", 0.6, 22, 12),  # three epochs of it, and one of the slow one
        ("fast", "complete", 0.6, 44, 24),
        ("slow", "complete", 0.2, 54, 30),  # as its last epoch judges it
    ]
    assert result.exhausted
    assert result.duplicates == 1
    assert method.events[:5] == [
        ("start", "slow"),
        ("start", "fast"),
        ("report", "fast", 1, 0.4),
        ("report", "fast", 2, 0.5),
        ("report", "slow", 1, 0.1),
    ]
    assert method.events[-1] == ("end", "slow", "complete", 0.2)


def test_a_stopped_trial_frees_its_worker() -> None:
    result = simulate(Script(["slow", "fast"], stop=("slow",)), workers=1)
    ends = [(e.architecture_id, e.state, e.accuracy, e.cost) for e in result.ended]
    assert ends == [("slow", "pruned", 0.1, 10), ("fast", "complete", 0.6, 22)]


def test_a_training_that_broke_off_has_failed() -> None:
    method = Script(["broken", "dead", "fast"])
    result = simulate(method, workers=1)
    ends = [(e.architecture_id, e.state, e.accuracy, e.cost) for e in result.ended]
    assert ends == [
        ("broken", "failed", 0.0, 3),  # the third epoch costs as much as the second
        ("dead", "failed", 0.0, 3),
        ("fast", "complete", 0.6, 15),
    ]
    assert ("end", "broken", "failed", None) in method.events


@pytest.mark.parametrize(("budget", "ended"), [(11.9, 0), (12, 1), (23.9, 1), (24, 2)])
def test_what_the_budget_does_not_reach_does_not_count(budget: float, ended: int) -> None:
    result = simulate(Script(["fast"] * 9), workers=1, budget=budget)
    assert len(result.ended) == ended
    assert not result.exhausted


def test_trials_that_cost_nothing_come_to_an_end() -> None:
    result = simulate(Script(["dead"] * 1000), workers=3)
    assert len(result.started) == len(result.ended) == 50
