"""An event-driven simulation of workers that train what a method proposes."""

import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.replay.method import Method
from benchmarks.table.read import Training
from search.searchers import Exhausted
from search.trial_states import TrialState


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial that has ended.

    Attributes:
        architecture_id: what it trained. state: how it ended.
        accuracy: what it is judged by of what was seen, 0 to 1.
        cost: training seconds of all trials until then, unfinished ones included.
        clock: simulated seconds since the start.
    """

    architecture_id: str
    state: TrialState
    accuracy: float
    cost: float
    clock: float


@dataclass
class Simulation:
    """What a search did.

    Attributes:
        ended: its trials in the order of their ends.
        started: ids of the architectures of all trials, in the order of their starts.
        ask_seconds: real time that every proposal took, all that is told before it included.
        exhausted: whether it had nothing more to propose.
    """

    ended: list[Ended] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    ask_seconds: list[float] = field(default_factory=list)
    exhausted: bool = False

    @property
    def duplicates(self) -> int:
        """Trials of an architecture that had been started before."""
        return len(self.started) - len(set(self.started))


@dataclass(slots=True)
class _Trial:
    architecture_id: str
    training: Training
    seen: list[float] = field(default_factory=list)


class Simulator:
    """Workers that train at the same time; a trial costs the seconds that the table says.

    A worker that is free asks for the next trial at once. The search ends when the training
    seconds of all workers reach the budget; what still runs then does not count.

    Args:
        method: what proposes.
        training: of an architecture, by its id, as the search sees it.
        workers: how many trials run at the same time.
        budget: training seconds.
        most_trials: the search ends there too: a method may repeat a trial that costs nothing.
    """

    def __init__(
        self,
        method: Method,
        training: Callable[[str], Training],
        *,
        workers: int,
        budget: float,
        most_trials: int,
    ) -> None:
        self._method = method
        self._training = training
        self._workers = workers
        self._budget = budget
        self._most_trials = most_trials
        self._events: list[tuple[float, int, int]] = []  # (clock, order, trial)
        self._order = 0
        self._trials: dict[int, _Trial] = {}
        self._spent = 0.0
        self._told_seconds = 0.0
        self.result = Simulation()

    def run(self) -> Simulation:
        """Simulate until the budget is spent or nothing is left to try."""
        for _ in range(self._workers):
            self._start(0.0)
        while self._events:
            clock, _, number = heapq.heappop(self._events)
            trial = self._trials[number]
            self._spent += self._next_cost(trial)
            if self._spent > self._budget:
                break
            self._advance(clock, number, trial)
        return self.result

    def _start(self, clock: float) -> None:
        number = len(self.result.started)
        if self.result.exhausted or number >= self._most_trials:
            return
        begun = time.perf_counter()
        try:
            name = self._method.start(number)
        except Exhausted:
            self.result.exhausted = True
            return
        self.result.ask_seconds.append(time.perf_counter() - begun + self._told_seconds)
        self._told_seconds = 0.0
        self.result.started.append(name)
        self._trials[number] = _Trial(name, self._training(name))
        self._schedule(clock, number)

    def _schedule(self, clock: float, number: int) -> None:
        self._order += 1
        cost = self._next_cost(self._trials[number])
        heapq.heappush(self._events, (clock + cost, self._order, number))

    def _next_cost(self, trial: _Trial) -> float:
        """Of its next epoch; one that breaks off is taken to cost as much as the one before."""
        seconds = trial.training.seconds
        epoch = min(len(trial.seen), len(seconds) - 1)
        return seconds[epoch] if seconds else 0.0

    def _advance(self, clock: float, number: int, trial: _Trial) -> None:
        begun = time.perf_counter()
        state = self._tell(number, trial)
        self._told_seconds += time.perf_counter() - begun
        if state is None:
            self._schedule(clock, number)
            return
        accuracy = 0.0 if state == TrialState.FAILED else trial.training.judged(trial.seen)
        done = Ended(trial.architecture_id, state, accuracy, self._spent, clock)
        self.result.ended.append(done)
        del self._trials[number]
        self._start(clock)

    def _tell(self, number: int, trial: _Trial) -> TrialState | None:
        """Tell the method of one more epoch; how the trial ended, None while it goes on."""
        curve, epoch = trial.training.validation_accuracy, len(trial.seen) + 1
        if epoch > len(curve):
            self._method.end(number, TrialState.FAILED, None)
            return TrialState.FAILED
        accuracy = curve[epoch - 1]
        trial.seen.append(accuracy)
        if epoch == len(curve) and trial.training.failure is None:
            self._method.end(number, TrialState.COMPLETE, accuracy)
            return TrialState.COMPLETE
        if self._method.report(number, epoch, accuracy):
            self._method.end(number, TrialState.PRUNED, accuracy)
            return TrialState.PRUNED
        return None
