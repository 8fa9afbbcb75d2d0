"""Asks searchers, tells them and the scheduler what becomes of trials, and keeps the order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Generic

from search.objectives import JudgedBy, Values, best_for, judged_values
from search.schedulers import Decision, Scheduler
from search.searchers import Observation, Searcher, Task
from search.searchers.searcher import P
from search.study.judge import Judge
from search.study.ledger import Ledger, MemoryLedger
from search.study.trial import Trial
from search.trial_states import EVALUATED, TERMINAL, TrialState


class Study(Generic[P]):
    """The trials of a search, and the one order in which all hear of them.

    Executors run the trials: workers of a cluster, a loop in this process, a simulated clock. They
    decide nothing. What they call, and in which order, is all that the study knows:

    - **ask**, or **add** for a point that another proposes: the trial exists from now on. The
      scheduler hears of it, then every searcher that its point is running, before anyone is asked
      again.
    - **start** when a worker takes it up, **preempt** when that worker is lost, **resume** when it
      waits for another one. An executor that loses no workers may leave all three out.
    - **report** for every epoch, rising: the ledger has it, then every searcher hears the curve so
      far, then the scheduler judges it. The decision is the scheduler's; once it is to stop it
      stays so. An epoch that was reported before changes nothing.
    - **tell** once, with the state in which the trial ends. The ledger has it, then searchers hear
      it; the last epoch was reported before.
    - **forget** where epochs were lost, **reopen** where an ended trial goes on by request.
    - Any number of trials may be open, and they may report and end in any order.
    - A number that no trial has is a KeyError, and what cannot follow in the life of a trial
      (`search.trial_states`) a ValueError; then nothing has changed, here or in the ledger.

    The same calls give the same points and decisions, so a study is resumed by repeating them
    to a new one with the same seed. Not thread safe.

    Args:
        task: what is searched and for what.
        searchers: all that must know of every point; `ask` asks the first.
        scheduler: judges the epochs.
        judged_by: which epoch a trial is judged by.
        ledger: where everything is written down first.
    """

    def __init__(
        self,
        task: Task[P],
        searchers: Sequence[Searcher[P]],
        scheduler: Scheduler,
        judged_by: JudgedBy = "last",
        ledger: Ledger | None = None,
    ) -> None:
        self.task = task
        self.judged_by: JudgedBy = judged_by
        self.trials: dict[int, Trial[P]] = {}
        self._searchers, self._judge = tuple(searchers), Judge(scheduler)
        # Kept, as progress asks several times a trial and studies have many thousands.
        self._counts = dict.fromkeys(TrialState, 0)
        self._next = 0
        self._best = best_for(task.objectives)
        self._ledger: Ledger = MemoryLedger() if ledger is None else ledger

    @contextmanager
    def written(self) -> Iterator[None]:
        """A block in which the study hears what the ledger has already."""
        ledger, self._ledger = self._ledger, MemoryLedger()
        try:
            yield
        finally:
            self._ledger = ledger

    def ask(self, number: int | None = None) -> Trial[P]:
        """A trial of the first searcher's next point.

        Args:
            number: of the trial; one more than the highest if left out.

        Raises:
            search.searchers.Exhausted: no point is left.
            ValueError: there is a trial of that number.
        """
        number = self._free(number)
        return self.add(self._searchers[0].ask(), number)

    def add(
        self,
        point: P,
        number: int | None = None,
        *,
        prunable: bool = True,
        repeat: int = 0,
        attempts: int = 0,
    ) -> Trial[P]:
        """A trial of a point, whoever proposes it.

        Args:
            number: of the trial; one more than the highest if left out.
            prunable: whether the scheduler may stop it.
            repeat: which repeat of its point this is, with other seeds; 0 for the first trial.
                Of a repeat neither searchers nor the scheduler hear: they know the point.
            attempts: how often workers have taken it up already.

        Raises:
            ValueError: there is a trial of that number.
        """
        number = self._free(number)
        self._next = max(self._next, number + 1)
        trial = Trial(number, point, self.task.known(point), prunable, repeat, attempts)
        self.trials[number] = trial
        self._counts[trial.state] += 1
        if not trial.repeat:
            self._judge.added(number)
        self._tell(trial)
        return trial

    def start(self, number: int) -> None:
        """A worker has taken the trial up."""
        trial = self.trials[number]
        self._change(trial, trial.start)
        self._ledger.start(trial)

    def report(
        self, number: int, epoch: int, metrics: Mapping[str, float | None], *, binding: bool = True
    ) -> Decision:
        """An epoch of a trial has these metrics; whether the trial shall stop.

        Args:
            number: of the trial.
            epoch: from 1; one that fills a gap before the last is written down and not judged.
            metrics: by name; None and what is not finite are written down, and judged nowhere.
            binding: whether what is decided now holds for the trial; the scheduler hears anyway.

        Raises:
            ValueError: there is no such epoch, or the trial has ended.
        """
        trial = self.trials[number]
        if epoch < 1:
            raise ValueError(f"trial {number} has no epoch {epoch}; the first is 1")
        if epoch in trial.curve:
            return trial.decision
        if trial.state in TERMINAL:
            raise ValueError(f"trial {number} is {trial.state}; it has no epoch {epoch} any more")
        self._ledger.epoch(trial, epoch, metrics)
        values = trial.record(epoch, metrics)
        self._tell(trial)
        if not trial.repeat:
            decision = self._judge.report(number, epoch, values)
            if binding:
                trial.judge(epoch, decision)
        return trial.decision

    def forget(self, number: int, last: int) -> None:
        """The epochs of a trial behind `last` were lost: they count no more, for anyone.

        What was decided of other trials stays.

        Raises:
            ValueError: `last` is below 0, or the trial has ended.
        """
        trial = self.trials[number]
        if last < 0:
            raise ValueError(f"trial {number} has no epoch {last}; 0 keeps none")
        if trial.state in TERMINAL:
            raise ValueError(f"trial {number} is {trial.state}; it keeps its epochs")
        self._ledger.forget(trial, last)
        trial.forget(last)
        if not trial.repeat:
            self._judge.forget(number, last)
        self._tell(trial)

    def preempt(self, number: int, reason: str) -> None:
        """The worker of a trial is gone; its epochs stay, and another may take it up."""
        trial = self.trials[number]
        trial.check(TrialState.PREEMPTED)
        self._ledger.preempt(trial, reason)
        self._become(trial, TrialState.PREEMPTED, reason)

    def resume(self, number: int) -> None:
        """A trial that lost its worker waits for another one."""
        self._become(self.trials[number], TrialState.WAITING)

    def reopen(self, number: int) -> None:
        """An ended trial goes on, by request."""
        trial = self.trials[number]
        self._change(trial, trial.reopen)
        self._tell(trial)

    def tell(self, number: int, state: TrialState, reason: str | None = None) -> Trial[P]:
        """A trial has ended.

        Args:
            number: of the trial.
            state: one that ends a trial.
            reason: why, of every state but complete.
        """
        trial = self.trials[number]
        if state not in TERMINAL:
            raise ValueError(f"trial {number} cannot end as {state}")
        trial.check(state)
        self._ledger.end(trial, state, reason)
        self._become(trial, state, reason)
        self._tell(trial)
        return trial

    def values(self, trial: Trial[P]) -> Values:
        """The metrics that a trial is judged by; empty before its first epoch."""
        return judged_values(trial.curve, self.judged_by, self._best)

    def counts(self) -> dict[TrialState, int]:
        """How many trials stand in each state."""
        return dict(self._counts)

    def _free(self, number: int | None) -> int:
        """The number of a new trial."""
        number = self._next if number is None else number
        if number in self.trials:
            raise ValueError(f"there is a trial {number} already")
        return number

    def _become(self, trial: Trial[P], state: TrialState, reason: str | None = None) -> None:
        self._change(trial, lambda: trial.become(state, reason))

    def _change(self, trial: Trial[P], change: Callable[[], None]) -> None:
        """Let a trial go to another state, and keep count."""
        before = trial.state
        change()
        self._counts[before] -= 1
        self._counts[trial.state] += 1

    def _tell(self, trial: Trial[P]) -> None:
        if trial.repeat or not self._searchers:  # a curve is long, and histories are replayed
            return
        state = trial.state if trial.state in TERMINAL else TrialState.RUNNING
        observation = Observation(state)
        if state not in TERMINAL - EVALUATED:  # metrics of what failed do not count
            observation = Observation(state, self.values(trial), dict(trial.curve))
        for searcher in self._searchers:
            searcher.tell(trial.point, observation)
