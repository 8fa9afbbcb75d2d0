"""What is kept of one run, as plain values that go into a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.replay.simulate import Simulation
from benchmarks.replay.view import View
from search.objectives import dominates
from search.trial_states import TrialState

Aim = Literal["accuracy", "front"]
AIMS: tuple[Aim, ...] = ("accuracy", "front")


@dataclass(frozen=True)
class Record:
    """One run of one method.

    Attributes:
        aim: "accuracy" or "front". method: its name. seed: number of the run.
        path: (trials ended, cost, shortfall) whenever the answer of the run changed. Cost is a
            share of the budget. For "accuracy" the answer is the complete trial with the best
            accuracy that the run saw, and the shortfall its regret; for "front" it is the front
            that the run saw, and the shortfall is 1 - its share of the table's hypervolume.
        ends: number of ended trials by end.
        duplicates: trials of an architecture that had been tried before.
        milliseconds: of a proposal with all that was told since the last one: mean, and 95th
            percentile.
        exhausted: whether every architecture was tried.
    """

    aim: Aim
    method: str
    seed: int
    path: tuple[tuple[int, float, float], ...]
    ends: dict[str, int]
    duplicates: int
    milliseconds: tuple[float, float]
    exhausted: bool

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Record":
        """Read what was written as JSON."""
        path = tuple((int(n), float(c), float(r)) for n, c, r in values["path"])
        mean, high = values["milliseconds"]
        return cls(**values | {"path": path, "milliseconds": (mean, high)})

    @property
    def shortfall(self) -> float:
        """At the end; 1 where no trial was complete."""
        return self.shortfall_at(1.0)

    def shortfall_at(self, cost: float) -> float:
        """When such a share of the budget was spent."""
        return next((short for _, spent, short in reversed(self.path) if spent <= cost), 1.0)

    def shortfall_after(self, trials: int) -> float:
        """When so many trials had ended."""
        return next((short for count, _, short in reversed(self.path) if count <= trials), 1.0)

    def cost_to_reach(self, shortfall: float) -> float:
        """Share of the budget until the answer was first as good; infinite where it never was."""
        return next((cost for _, cost, short in self.path if short <= shortfall), float("inf"))


def record(aim: Aim, method: str, view: View, simulation: Simulation, budget: float) -> Record:
    """Boil a simulation down.

    Args:
        aim: what is measured. method: its name.
        view: what the run saw.
        simulation: what it did.
        budget: training seconds that it had.
    """
    answers = _incumbents(view, simulation) if aim == "accuracy" else _fronts(view, simulation)
    milliseconds = 1000 * np.array(simulation.ask_seconds or [0.0])
    kinds = [trial.state for trial in simulation.ended]
    return Record(
        aim=aim,
        method=method,
        seed=view.seed,
        path=tuple((count, cost / budget, shortfall) for count, cost, shortfall in answers),
        ends={kind: kinds.count(kind) for kind in sorted(set(kinds))},
        duplicates=simulation.duplicates,
        milliseconds=(float(milliseconds.mean()), float(np.percentile(milliseconds, 95))),
        exhausted=simulation.exhausted,
    )


def _incumbents(view: View, simulation: Simulation) -> Iterator[tuple[int, float, float]]:
    best = -1.0
    for count, trial in enumerate(simulation.ended, start=1):
        if trial.state == TrialState.COMPLETE and trial.accuracy > best:
            best = trial.accuracy
            yield count, trial.cost, view.regret(trial.architecture_id)


def _fronts(view: View, simulation: Simulation) -> Iterator[tuple[int, float, float]]:
    front: list[tuple[tuple[float, float], str]] = []
    for count, trial in enumerate(simulation.ended, start=1):
        vector = trial.accuracy, -view.macs(trial.architecture_id)
        beaten = any(dominates(other, vector) or other == vector for other, _ in front)
        if trial.state == TrialState.COMPLETE and not beaten:
            front = [member for member in front if not dominates(vector, member[0])]
            front.append((vector, trial.architecture_id))
            yield count, trial.cost, 1 - view.hypervolume([name for _, name in front])
