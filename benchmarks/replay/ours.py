"""A searcher and a scheduler of ours, driven by the simulator."""

from collections.abc import Mapping
from typing import Any

from benchmarks.replay.method import Method
from search.objectives import JudgedBy
from search.schedulers import make_scheduler
from search.searchers import Task, make_searcher
from search.study import Study
from search.trial_states import TrialState
from space import Architecture


class OwnMethod(Method):
    """A study without a store.

    Args:
        task: what is searched, and for what.
        searcher, scheduler: names.
        seed: of the searcher.
        rule: which epoch of a trial the searcher is told of.
        options: of the searcher.
    """

    def __init__(
        self,
        task: Task[Architecture],
        searcher: str,
        scheduler: str,
        seed: int,
        rule: JudgedBy = "last",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        judging = make_scheduler(scheduler, task.objectives, task.fidelities)
        self.study = Study(task, (make_searcher(searcher, task, seed, options),), judging, rule)

    def start(self, trial: int) -> str:
        """The searcher's proposal."""
        return self.study.ask(trial).point.id

    def architecture(self, trial: int) -> Architecture:
        """What a trial trains."""
        return self.study.trials[trial].point

    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Tell the searcher, and hear the scheduler."""
        return self.study.report(trial, epoch, {"validation_accuracy": accuracy}).stop

    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        """Tell the end, and of a complete trial the last epoch before it."""
        if state == TrialState.COMPLETE and accuracy is not None:
            epoch = max(self.study.trials[trial].curve, default=0) + 1
            self.report(trial, epoch, accuracy)
        self.study.tell(trial, state)
