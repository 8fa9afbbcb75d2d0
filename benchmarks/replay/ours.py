"""A searcher and a scheduler of ours, driven by the simulator."""

from dataclasses import dataclass, field

from benchmarks.replay.method import End, Method
from search.objectives import JudgedBy, Values, judged_values
from search.schedulers import make_scheduler
from search.searchers import Observation, Task, make_searcher
from space import Architecture


@dataclass
class _Running:
    architecture: Architecture
    rule: JudgedBy
    curve: dict[int, Values] = field(default_factory=dict)

    @property
    def values(self) -> Values:
        """What it is judged by so far, as a study tells it."""
        return judged_values(self.curve, self.rule)


class OwnMethod(Method):
    """Tells what a study would tell, in the same order.

    Args:
        task: what is searched, and for what.
        searcher, scheduler: names.
        seed: of the searcher.
        rule: which epoch of a trial the searcher is told of.
    """

    def __init__(
        self,
        task: Task[Architecture],
        searcher: str,
        scheduler: str,
        seed: int,
        rule: JudgedBy = "last",
    ) -> None:
        self._task = task
        self._rule: JudgedBy = rule
        self._searcher = make_searcher(searcher, task, seed)
        self._scheduler = make_scheduler(scheduler, task.goals, task.fidelities)
        self._running: dict[int, _Running] = {}

    def start(self, trial: int) -> str:
        """The searcher's proposal."""
        architecture = self._searcher.ask()
        self._searcher.tell(architecture, Observation("running"))
        self._scheduler.added(architecture.id)
        self._running[trial] = _Running(architecture, self._rule)
        return architecture.id

    def architecture(self, trial: int) -> Architecture:
        """What a running trial trains."""
        return self._running[trial].architecture

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
        values = {**running.curve[epoch], **self._task.known(running.architecture)}
        return self._scheduler.report(running.architecture.id, epoch, values).stop
