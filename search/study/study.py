"""Asks searchers, tells them and the scheduler what becomes of trials, and keeps the order."""

from collections.abc import Mapping, Sequence
from typing import Generic

from search.objectives import JudgedBy
from search.schedulers import CONTINUE, Decision, Scheduler
from search.searchers import Searcher, Task
from search.searchers.searcher import P
from search.study.trial import Trial
from search.trial_states import TrialState


class Study(Generic[P]):
    """The trials of a search, and the one order in which all hear of them.

    Executors run the trials: workers of a cluster, a loop in this process, a simulated clock. They
    decide nothing. What they call, and in which order, is all that the study knows:

    - **ask**, or **add** for a point that another proposes: the trial exists from now on. The
      scheduler hears of it, then every searcher that its point is running, before anyone is asked
      again.
    - **report** for every epoch, rising: every searcher hears the curve so far, then the scheduler
      judges it. The decision is the scheduler's; once it is to stop it stays so. An epoch that was
      reported before changes nothing.
    - **tell** once, with the state in which the trial ends. Searchers hear it; the last epoch was
      reported before.
    - **forget** where epochs were lost, **proceed** where an ended trial goes on by request.
    - Any number of trials may be open, and they may report and end in any order.

    The same calls give the same points and decisions, so a study is resumed by repeating them
    to a new one with the same seed. Not thread safe.

    Args:
        task: what is searched and for what.
        searchers: all that must know of every point; `ask` asks the first.
        scheduler: judges the epochs.
        judged_by: which epoch a trial is judged by.
    """

    def __init__(
        self,
        task: Task[P],
        searchers: Sequence[Searcher[P]],
        scheduler: Scheduler,
        judged_by: JudgedBy = "last",
    ) -> None:
        self.task = task
        self.judged_by: JudgedBy = judged_by
        self.trials: dict[int, Trial[P]] = {}
        self._searchers, self._scheduler = tuple(searchers), scheduler

    def ask(self, number: int | None = None) -> Trial[P]:
        """A trial of the first searcher's next point.

        Args:
            number: of the trial; the next one if left out.

        Raises:
            search.searchers.Exhausted: no point is left.
        """
        return self.add(self._searchers[0].ask(), number)

    def add(self, point: P, number: int | None = None, *, prunable: bool = True) -> Trial[P]:
        """A trial of a point, whoever proposes it.

        Args:
            number: of the trial; the next one if left out.
            prunable: whether the scheduler may stop it.
        """
        number = len(self.trials) if number is None else number
        trial = Trial(number, point, self.task.known(point), prunable)
        self.trials[number] = trial
        self._scheduler.added(number)
        self._tell(trial)
        return trial

    def report(self, number: int, epoch: int, figures: Mapping[str, float | None]) -> Decision:
        """An epoch of a trial has these figures; whether the trial shall stop."""
        trial = self.trials[number]
        if epoch not in trial.curve:
            values = trial.record(epoch, figures)
            self._tell(trial)
            decision = self._scheduler.report(number, epoch, values)
            if trial.prunable and not trial.decision.stop:
                trial.decision = decision
        return trial.decision

    def forget(self, number: int, last: int) -> None:
        """The epochs of a trial behind `last` were lost."""
        self.trials[number].forget(last)
        self._tell(self.trials[number])

    def proceed(self, number: int) -> None:
        """An ended trial goes on, by request."""
        self.trials[number].proceed()
        self._tell(self.trials[number])

    def tell(self, number: int, state: TrialState, reason: str | None = None) -> Trial[P]:
        """A trial has ended."""
        trial = self.trials[number]
        trial.become(state, reason)
        self._tell(trial)
        return trial

    def decision(self, number: int) -> Decision:
        """What the scheduler said last of a trial; of one that is not known, that it may go on."""
        trial = self.trials.get(number)
        return CONTINUE if trial is None else trial.decision

    def _tell(self, trial: Trial[P]) -> None:
        observation = trial.observation(self.judged_by)
        for searcher in self._searchers:
            searcher.tell(trial.point, observation)
