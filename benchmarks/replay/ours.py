"""A searcher and a scheduler of ours, driven by the simulator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.replay.method import End, Method
from benchmarks.replay.space import TableSpace
from benchmarks.table.read import TabularBenchmark
from search.objectives import Goals, Values
from search.schedulers import make_scheduler
from search.searchers import Observation, Task, make_searcher
from space import Architecture


@dataclass
class _Running:
    architecture: Architecture
    curve: dict[int, Values] = field(default_factory=dict)

    @property
    def values(self) -> Values:
        """The best so far, as a study tells it."""
        return max(self.curve.values(), key=lambda v: v["validation_accuracy"], default={})


class OwnMethod(Method):
    """Tells what a study would tell, in the same order.

    Args:
        benchmark: where the space and the known figures are from.
        goals: what is searched for.
        searcher, scheduler: names. options: of the searcher.
        seed: of the searcher.
    """

    def __init__(
        self,
        benchmark: TabularBenchmark,
        goals: Goals,
        searcher: str,
        scheduler: str,
        seed: int,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._known = benchmark.known
        task = Task(
            TableSpace(benchmark),
            goals,
            known=lambda architecture: benchmark.known[architecture.id],
            fidelities=benchmark.epochs,
        )
        self._searcher = make_searcher(searcher, task, seed, options)
        self._scheduler = make_scheduler(scheduler, goals, benchmark.epochs)
        self._running: dict[int, _Running] = {}

    def start(self, trial: int) -> str:
        """The searcher's proposal."""
        architecture = self._searcher.ask()
        self._searcher.tell(architecture, Observation("running"))
        self._scheduler.added(architecture.id)
        self._running[trial] = _Running(architecture)
        return architecture.id

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Tell the searcher, and hear the scheduler."""
        running = self._note(trial, epoch, accuracy)
        observation = Observation("running", running.values, dict(running.curve))
        self._searcher.tell(running.architecture, observation)
        return self._verdict(running, epoch)

    def end(self, trial: int, end: End, accuracy: float | None) -> None:
        """Tell the end."""
        running = self._running[trial]
        if end == "complete" and accuracy is not None:
            epoch = max(running.curve, default=0) + 1
            self._note(trial, epoch, accuracy)
            self._verdict(running, epoch)
        observation = Observation(end, running.values, dict(running.curve))
        self._searcher.tell(
            running.architecture, Observation("failed") if end == "failed" else observation
        )
        del self._running[trial]

    def _note(self, trial: int, epoch: int, accuracy: float) -> _Running:
        running = self._running[trial]
        running.curve[epoch] = {"validation_accuracy": accuracy}
        return running

    def _verdict(self, running: _Running, epoch: int) -> bool:
        name = running.architecture.id
        values = {**running.curve[epoch], **self._known[name]}
        return self._scheduler.report(name, epoch, values).stop
