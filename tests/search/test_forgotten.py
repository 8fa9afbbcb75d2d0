"""Whoever goes on with a study whose epochs were lost decides as the driver that lost them."""

from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from search.driver.replay import replay_history
from search.objectives import Objective, Objectives
from search.schedulers import CONTINUE, SCHEDULERS, make_scheduler
from search.searchers import Observation, Searcher, Task
from search.store import EpochRecord, EventKind, EventRecord, StudyHistory
from search.study import Study, Trial
from search.testing.toy_spaces import Point, ToySpace
from search.trial_states import TERMINAL, TrialState

EPOCHS = 9
ONE = Objectives((Objective("validation_accuracy"),))
TWO = Objectives((Objective("validation_accuracy"), Objective("validation_loss", "minimise")))
POINTS = ToySpace().points()
CASES = [
    (name, objectives, {"min_trials": 1} if name == "median" else {})
    for name in SCHEDULERS.built_in
    for objectives in (ONE, TWO)
    if objectives == ONE or SCHEDULERS.kind(name).multi_objective
]


class Listening(Searcher[Point]):
    """Proposes point after point, and knows what it was told last of each."""

    def __init__(self, task: Task[Point]) -> None:
        super().__init__(task, 0)
        self.told: dict[Point, Observation] = {}

    def ask(self, attempt: int = 0) -> Point:
        return POINTS[len(self.told)]

    def tell(self, point: Point, observation: Observation) -> None:
        self.told[point] = observation


class Written:
    """A ledger that keeps what a store keeps: an event log, and the epochs as they are now."""

    def __init__(self) -> None:
        self.events: list[EventRecord] = []
        self.curves: defaultdict[int, dict[int, EpochRecord]] = defaultdict(dict)

    def write(self, trial: Trial[Any], kind: EventKind, epoch: int | None = None) -> None:
        self.events.append(EventRecord(len(self.events), trial.number, kind, epoch))

    def start(self, trial: Trial[Any]) -> None:
        """No event of a store."""

    def epoch(self, trial: Trial[Any], epoch: int, metrics: Mapping[str, float | None]) -> None:
        accuracy, loss = metrics["validation_accuracy"], metrics["validation_loss"]
        self.curves[trial.number][epoch] = EpochRecord(epoch, None, loss, accuracy, None, None)
        self.write(trial, EventKind.EPOCH, epoch)

    def forget(self, trial: Trial[Any], last: int) -> None:
        curve = self.curves[trial.number]
        beyond = [epoch for epoch in curve if epoch > last]
        for epoch in beyond:
            del curve[epoch]
        if beyond:
            self.write(trial, EventKind.FORGOTTEN, last)

    def preempt(self, trial: Trial[Any], reason: str) -> None:
        self.write(trial, EventKind.PREEMPTED)

    def end(self, trial: Trial[Any], state: TrialState, reason: str | None) -> None:
        self.write(trial, EventKind(state.value))

    def history(self, trials: int) -> StudyHistory:
        rows: list[Any] = [
            SimpleNamespace(
                id=number,
                number=number,
                architecture_id=str(number),
                origin="",
                repeat=0,
                attempts=0,
            )
            for number in range(trials)
        ]
        curves = {number: list(self.curves[number].values()) for number in range(trials)}
        return StudyHistory(rows, curves, {}, self.events)


class Driven:
    """A study as an executor drives it, and what may have been decided by what is lost now."""

    def __init__(self, name: str, objectives: Objectives, options: Mapping[str, Any]) -> None:
        task = Task(ToySpace(), objectives, fidelities=EPOCHS)
        self.made_of = name, objectives, options
        self.searcher, self.written = Listening(task), Written()
        scheduler = make_scheduler(name, objectives, EPOCHS, options)
        self.study = Study(task, [self.searcher], scheduler, ledger=self.written)
        self.stopped_at: dict[int, int] = {}
        self.doubtful: set[int] = set()

    def resumed(self) -> "Driven":
        other = Driven(*self.made_of)
        history = self.written.history(len(self.study.trials))
        points: Any = {str(n): trial.point for n, trial in self.study.trials.items()}
        replay_history(other.study, history, points)  # type: ignore[arg-type]
        return other

    @property
    def open(self) -> list[Trial[Point]]:
        return [trial for trial in self.study.trials.values() if trial.state not in TERMINAL]

    def act(self, step: str, which: int, metrics: tuple[float, float]) -> Any:
        if step == "ask":
            return self._ask() if len(self.study.trials) < 12 else None
        if not self.open:
            return None
        trial = self.open[which % len(self.open)]
        done = max(trial.curve, default=0)
        if step == "report" and done < EPOCHS:
            values = dict(zip(("validation_accuracy", "validation_loss"), metrics, strict=True))
            decision = self.study.report(trial.number, done + 1, values)
            if decision.stop:
                self.stopped_at.setdefault(trial.number, len(self.written.events))
            return trial.number, decision
        if step == "forget" and done:
            self._forget(trial.number, which % done)
        elif step == "preempt":
            self.study.preempt(trial.number, "its worker is gone")
            self.study.resume(trial.number)
        elif step == "tell":
            stops = trial.decision.stop
            state = TrialState.PRUNED if stops else TrialState.COMPLETE
            self.study.tell(trial.number, state, trial.decision.reason or None)
        return None

    def _ask(self) -> None:
        self.written.write(self.study.ask(), EventKind.CREATED)

    def _forget(self, number: int, last: int) -> None:
        self.study.forget(number, last)
        if not self.study.trials[number].decision.stop:
            self.stopped_at.pop(number, None)
        lost = (number, EventKind.EPOCH, last + 1)
        events = [e.number for e in self.written.events if (e.trial_id, e.kind, e.epoch) == lost]
        since = max(events, default=0)
        self.doubtful |= {each for each, at in self.stopped_at.items() if at > since}


METRICS = st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.sampled_from([0.0, 1.0, 2.0]))
STEP = st.sampled_from(["ask", "ask", *["report"] * 5, "forget", "preempt", "tell"])
STEPS = st.lists(st.tuples(STEP, st.integers(0, 99), METRICS), min_size=5, max_size=50)


@pytest.mark.parametrize(("name", "objectives", "options"), CASES)
@settings(deadline=None, max_examples=60)
@given(before=STEPS, after=STEPS)
def test_a_study_that_is_resumed_decides_as_the_one_that_went_on(
    name: str, objectives: Objectives, options: dict[str, Any], before: Any, after: Any
) -> None:
    live = Driven(name, objectives, options)
    for step in before:
        live.act(*step)
    resumed = live.resumed()
    assert resumed.searcher.told == live.searcher.told
    told_to_stop = {trial.number for trial in live.open if trial.decision.stop}
    stops = {trial.number for trial in resumed.open if trial.decision.stop}
    assert stops <= told_to_stop, "it went on"
    assert told_to_stop - stops <= live.doubtful
    for number in told_to_stop & live.doubtful:  # the one thing that is not written anywhere
        told, again = live.study.trials[number], resumed.study.trials[number]
        assume(again.decision in (told.decision, CONTINUE))  # else told so by a later epoch
        again.judge(told.judged, told.decision)
    for step in after:
        assert live.act(*step) == resumed.act(*step)


def test_a_trial_that_went_on_is_not_stopped_by_what_is_left() -> None:
    """The second of six went on, and would be stopped as the second of the five that are left."""
    live = Driven("asha", ONE, {})
    for number, accuracy in enumerate([0.9, 0.1, 0.1, 0.1, 0.1, 0.5]):
        live.act("ask", 0, (0.0, 0.0))
        stops = live.act("report", number, (accuracy, 0.0))[1].stop
        assert stops is (accuracy == 0.1)
    live.act("forget", 1, (0.0, 0.0))
    resumed = live.resumed()
    stopped = [n for n, trial in resumed.study.trials.items() if trial.decision.stop]
    assert stopped == []
    assert [trial.decision.stop for trial in live.study.trials.values()].count(True) == 3
