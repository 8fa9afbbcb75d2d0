"""The contract of a study: who hears what, in which order, and what a replay comes to."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.objectives import Objective, Objectives, Values
from search.schedulers import CONTINUE, Decision, NoScheduler, Scheduler
from search.searchers import Observation, Searcher, Task
from search.study import Study
from search.study.judge import Judge
from search.testing.toy_spaces import Point, ToySpace
from search.trial_states import TERMINAL, TrialState, may_follow

OBJECTIVES = Objectives((Objective("accuracy"),))
TASK: Task[Point] = Task(ToySpace(), OBJECTIVES, known=lambda point: {"digit": float(point[2])})
POINTS = ToySpace().points()
STOP = Decision(stop=True, reason="it is worse than the others")


@dataclass
class Heard:
    """What was said to whom, in order."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)


class Listening(Searcher[Point]):
    """Proposes point after point."""

    def __init__(self, name: str, heard: Heard) -> None:
        super().__init__(TASK, 0)
        self.name, self.heard, self.known = name, heard, set[Point]()

    def ask(self, attempt: int = 0) -> Point:
        return next(point for point in POINTS if point not in self.known)

    def tell(self, point: Point, observation: Observation) -> None:
        self.known.add(point)
        seen = observation.state, dict(observation.values), dict(observation.curve)
        self.heard.calls.append((self.name, point, *seen))


class Strict(Scheduler):
    """Stops what is below the given accuracy; remembers how often it was asked."""

    def __init__(self, heard: Heard, least: float = 0.0) -> None:
        super().__init__(OBJECTIVES, 9)
        self.heard, self.least = heard, least

    def anew(self) -> "Strict":
        return Strict(self.heard, self.least)

    def added(self, trial: Hashable) -> None:
        self.heard.calls.append(("scheduler added", trial))

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        self.heard.calls.append(("scheduler", trial, epoch, dict(values)))
        return STOP if values["accuracy"] < self.least else CONTINUE


def listened(least: float = 0.0) -> tuple[Study[Point], Heard]:
    heard = Heard()
    searchers = [Listening("own", heard), Listening("baseline", heard)]
    return Study(TASK, searchers, Strict(heard, least)), heard


def test_the_scheduler_hears_of_a_trial_and_then_every_searcher_that_its_point_is_running() -> None:
    study, heard = listened()
    trial = study.ask()
    told = trial.point, TrialState.RUNNING, {}, {}
    assert heard.calls == [("scheduler added", 0), ("own", *told), ("baseline", *told)]
    assert study.ask().point != trial.point
    assert list(study.trials) == [0, 1]


def test_of_an_epoch_searchers_hear_first_and_known_metric_belong_to_it() -> None:
    study, heard = listened()
    study.add(("a", "b", 4), 7)
    del heard.calls[:]
    study.report(7, 1, {"accuracy": 0.5, "loss": None, "odd": float("nan")})
    values = {"accuracy": 0.5, "digit": 4.0}
    told = ("a", "b", 4), TrialState.RUNNING, values, {1: values}
    assert heard.calls == [("own", *told), ("baseline", *told), ("scheduler", 7, 1, values)]


def test_an_epoch_counts_once_and_a_decision_to_stop_stays() -> None:
    study, heard = listened(least=0.5)
    trial = study.ask()
    assert study.report(0, 1, {"accuracy": 0.4}) == STOP
    before = list(heard.calls)
    assert study.report(0, 1, {"accuracy": 0.9}) == STOP
    assert heard.calls == before
    assert study.report(0, 2, {"accuracy": 0.9}) == STOP
    assert trial.curve[1]["accuracy"] == 0.4
    assert trial.decision == STOP


@pytest.mark.parametrize("reason", ["", " ", None])
def test_a_stop_without_a_reason_has_one_that_names_the_scheduler(reason: Any) -> None:
    """The store keeps no pruned trial without one."""

    class Silent(Strict):
        def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
            return Decision(stop=True, reason=reason)

    study = Study(TASK, [Listening("own", Heard())], Silent(Heard()))
    decision = study.report(study.ask().number, 1, {"accuracy": 0.4})
    assert decision == Decision(True, "the scheduler Silent stopped it and gave no reason")
    assert study.trials[0].decision == decision


def test_a_decision_that_does_not_bind_is_asked_for_and_changes_nothing() -> None:
    study, heard = listened(least=0.5)
    trial = study.ask()
    assert study.report(0, 1, {"accuracy": 0.4}, binding=False) == CONTINUE
    assert heard.calls[-1][:3] == ("scheduler", 0, 1)
    assert (trial.decision, trial.judged) == (CONTINUE, 0)
    assert study.report(0, 2, {"accuracy": 0.4}) == STOP
    assert study.report(0, 3, {"accuracy": 0.9}, binding=False) == STOP


def test_what_is_not_prunable_is_judged_and_goes_on() -> None:
    study, heard = listened(least=0.5)
    study.add(POINTS[0], prunable=False)
    assert study.report(0, 1, {"accuracy": 0.4}) == CONTINUE
    assert heard.calls[-1][:3] == ("scheduler", 0, 1), "the others are compared with it"


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_end_is_told_once_and_only_metric_that_count(
    state: TrialState, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, heard = listened()
    study.add(("a", "b", 1))
    study.report(0, 1, {"accuracy": 0.5})
    counts = state in (TrialState.COMPLETE, TrialState.PRUNED)
    if not counts:
        monkeypatch.setattr(study, "values", None)  # nobody asks for them
    trial = study.tell(0, state, "why")
    assert (trial.state, trial.reason) == (state, "why")
    _, _, told, values, curve = heard.calls[-1]
    assert told == state
    assert values == ({"accuracy": 0.5, "digit": 1.0} if counts else {})
    assert bool(curve) is counts
    with pytest.raises(ValueError, match=f"trial 0 is {state}; it cannot become"):
        study.tell(0, TrialState.COMPLETE)


def test_a_pruned_trial_that_goes_on_is_running_again_and_is_not_pruned_twice() -> None:
    study, heard = listened(least=0.5)
    trial = study.ask()
    study.report(0, 1, {"accuracy": 0.4})
    study.tell(0, TrialState.PRUNED, "worse")
    study.reopen(0)
    assert heard.calls[-1][2] == TrialState.RUNNING
    assert heard.calls[-1][4] == {1: {"accuracy": 0.4, "digit": float(POINTS[0][2])}}
    assert counted(study) == study.counts()
    assert trial.decision == CONTINUE
    assert study.report(0, 2, {"accuracy": 0.3}) == CONTINUE


def test_a_failed_trial_that_goes_on_may_be_pruned() -> None:
    study, _ = listened(least=0.5)
    study.ask()
    study.tell(0, TrialState.FAILED, "nan")
    study.reopen(0)
    assert study.report(0, 1, {"accuracy": 0.4}) == STOP


def test_lost_epochs_are_forgotten_and_count_again() -> None:
    study, heard = listened()
    study.ask()
    for epoch, accuracy in enumerate([0.1, 0.2, 0.3], 1):
        study.report(0, epoch, {"accuracy": accuracy})
    study.forget(0, 1)
    assert set(heard.calls[-1][4]) == {1}
    study.report(0, 2, {"accuracy": 0.25})
    assert study.values(study.trials[0])["accuracy"] == 0.25


def test_a_scheduler_is_told_anew_once_for_all_that_was_lost_and_only_where_it_decides() -> None:
    heard = Heard()
    for scheduler in (Strict(heard), NoScheduler(OBJECTIVES, 9)):
        judge = Judge(scheduler)
        for trial in range(9):
            judge.added(trial)
            for epoch in (1, 2):
                judge.report(trial, epoch, {"accuracy": 0.5})
        del heard.calls[:]
        for trial in range(8):
            judge.forget(trial, 1)
        assert heard.calls == []
        judge.report(0, 2, {"accuracy": 0.5})
        decides = isinstance(scheduler, Strict)
        assert len(heard.calls) == len(judge._events) == (9 + 9 + 1 + 1 if decides else 0)


def test_states_follow_each_other_as_the_store_has_it() -> None:
    assert not any(may_follow(state, TrialState.COMPLETE) for state in TrialState)
    assert may_follow(TrialState.WAITING, TrialState.PRUNED)
    assert not may_follow(TrialState.RUNNING, TrialState.FAILED)
    assert may_follow(TrialState.RUNNING, TrialState.PREEMPTED)
    assert not may_follow(TrialState.COMPLETE, TrialState.PREEMPTED)


STEPS = st.lists(st.tuples(st.sampled_from(["ask", "report", "end", "reopen"]), st.integers(0, 99)))


@given(STEPS)
def test_the_same_calls_come_to_the_same(steps: list[tuple[str, int]]) -> None:
    """Whatever is called, a second study that is called alike has said and heard the same."""
    one, heard = listened(least=0.3)
    two, again = listened(least=0.3)
    for step, number in steps:
        calls = _calls(one, step, number)
        assert [call(one) for call in calls] == [call(two) for call in calls]
    assert heard == again


def _calls(study: Study[Point], step: str, number: int) -> list[Any]:
    """What a step comes to where the study stands now."""
    open_ = [n for n, trial in study.trials.items() if trial.state not in TERMINAL]
    over = [n for n, t in study.trials.items() if may_follow(TrialState.WAITING, t.state)]
    if step == "ask":
        return [lambda s: s.ask()] if len(study.trials) < len(POINTS) else []
    if step == "reopen":
        return [lambda s: s.reopen(over[number % len(over)])] if over else []
    if not open_:
        return []
    chosen = open_[number % len(open_)]
    if step == "report":
        epoch = len(study.trials[chosen].curve) + 1
        return [lambda s: s.report(chosen, epoch, {"accuracy": number / 100})]
    state = sorted(TERMINAL)[number % len(TERMINAL)]
    return [lambda s: s.tell(chosen, state, "why")]


def counted(study: Study[Point]) -> dict[TrialState, int]:
    """How many trials stand in each state, counted anew."""
    states = [trial.state for trial in study.trials.values()]
    return {state: states.count(state) for state in TrialState}


class Recorded:
    """A ledger that notes what it is told, and how far the searchers had heard then."""

    def __init__(self, heard: Any) -> None:
        self.heard, self.lines = heard, []  # type: tuple[Any, list[tuple[Any, ...]]]

    def __getattr__(self, event: str) -> Any:
        def note(trial: Any, *told: Any) -> None:
            self.lines.append((event, trial.number, *told, len(self.heard.calls)))

        return note


def test_the_ledger_has_everything_before_anybody_hears_of_it() -> None:
    study, heard = listened(least=0.0)
    study._ledger = ledger = Recorded(heard)
    study.ask()
    before = len(heard.calls)
    study.start(0)
    study.report(0, 1, {"accuracy": 0.4})
    study.report(0, 1, {"accuracy": 0.9})  # known already: nothing to write
    study.forget(0, 0)
    study.preempt(0, "killed")
    study.resume(0)
    study.start(0)
    with study.written():
        study.report(0, 1, {"accuracy": 0.4})
    after = len(heard.calls)
    study.tell(0, TrialState.COMPLETE)
    assert [line[:-1] for line in ledger.lines] == [
        ("start", 0),
        ("epoch", 0, 1, {"accuracy": 0.4}),
        ("forget", 0, 0),
        ("preempt", 0, "killed"),
        ("start", 0),
        ("end", 0, TrialState.COMPLETE, None),
    ]
    assert [line[-1] for line in ledger.lines][:3] == [before, before, before + 3]
    assert ledger.lines[-1][-1] == after
    assert study.trials[0].attempts == 2
    assert counted(study) == study.counts()


def test_what_cannot_follow_is_refused_and_changes_nothing() -> None:
    """Neither the ledger nor anybody who listens hears of it."""
    study, heard = listened()
    study._ledger = ledger = Recorded(heard)
    study.ask()
    study.report(0, 1, {"accuracy": 0.5})
    study.tell(0, TrialState.COMPLETE)
    before = replace(study.trials[0]), list(heard.calls), list(ledger.lines)
    for refused in (
        lambda: study.tell(0, TrialState.COMPLETE),
        lambda: study.tell(0, TrialState.FAILED, "late"),
        lambda: study.tell(0, TrialState.RUNNING),
        lambda: study.report(0, 2, {"accuracy": 0.9}),
        lambda: study.report(0, 0, {"accuracy": 0.9}),
        lambda: study.forget(0, 0),
        lambda: study.start(0),
        lambda: study.preempt(0, "its worker is gone"),
        lambda: study.resume(0),
        lambda: study.reopen(0),
        lambda: study.ask(0),
        lambda: study.add(POINTS[1], 0),
    ):
        with pytest.raises(ValueError, match="trial 0"):
            refused()
    with pytest.raises(KeyError):
        study.report(1, 1, {"accuracy": 0.5})
    assert study.report(0, 1, {"accuracy": 0.9}) == CONTINUE  # reported before
    assert (study.trials[0], heard.calls, ledger.lines) == before
    assert sum(study.counts().values()) == len(study.trials) == 1


def test_epochs_that_there_cannot_be_are_refused_before_anything_is_written() -> None:
    study, heard = listened()
    study._ledger = ledger = Recorded(heard)
    study.ask()
    before = replace(study.trials[0]), list(heard.calls)
    for epoch in (0, -1):
        with pytest.raises(ValueError, match=f"trial 0 has no epoch {epoch}; the first is 1"):
            study.report(0, epoch, {"accuracy": 0.5})
    with pytest.raises(ValueError, match="trial 0 has no epoch -1"):
        study.forget(0, -1)
    assert (study.trials[0], heard.calls, ledger.lines) == (*before, [])


def test_an_epoch_that_fills_a_gap_is_written_and_told_but_not_judged() -> None:
    """As where a line of a journal cannot be read: the worker repeats what it trained before."""
    study, heard = listened(least=0.5)
    study._ledger = ledger = Recorded(heard)
    study.ask()
    for epoch in (1, 3, 2):
        assert study.report(0, epoch, {"accuracy": 0.4 if epoch == 2 else 0.9}) == CONTINUE
    assert [line[2] for line in ledger.lines] == [1, 3, 2]
    assert heard.calls[-1][:1] == ("baseline",)
    assert study.values(study.trials[0])["accuracy"] == 0.9
    study.forget(0, 2)
    assert study.report(0, 3, {"accuracy": 0.9}) == CONTINUE
    assert [call[1:3] for call in heard.calls if call[0] == "scheduler"][-2:] == [(0, 2), (0, 3)]


def test_the_next_number_is_one_more_than_the_highest() -> None:
    study, _ = listened()
    assert [study.ask(1).number, study.ask().number, study.ask(0).number] == [1, 2, 0]
    assert study.add(POINTS[-1], 7).number == 7
    assert study.ask().number == 8


def test_of_a_repeat_neither_searchers_nor_the_scheduler_hear() -> None:
    study, heard = listened(least=0.5)
    trial = study.add(POINTS[0], repeat=1)
    for epoch in (1, 2):
        assert study.report(trial.number, epoch, {"accuracy": 0.1}) == CONTINUE
    study.forget(trial.number, 1)
    assert set(trial.curve) == {1}
    study.tell(trial.number, TrialState.COMPLETE)
    assert heard.calls == []
    assert study.values(trial)["accuracy"] == 0.1
    assert study.counts()[TrialState.COMPLETE] == 1


def test_what_a_trial_lacks_is_looked_for_where_it_is_judged() -> None:
    study, _ = listened()
    trial = study.ask()
    assert trial.lacks(["accuracy", "loss"], "last") == ["accuracy", "loss"]
    assert trial.lacks(["accuracy", "loss"], "best") == ["accuracy", "loss"]
    study.report(0, 1, {"accuracy": 0.4, "loss": 1.0})
    study.report(0, 2, {"accuracy": 0.5, "loss": float("nan")})
    assert trial.lacks(["accuracy", "loss"], "last") == ["loss"]
    assert trial.lacks(["accuracy", "loss"], "best") == []


def test_a_trial_says_why_it_was_preempted() -> None:
    study, _ = listened()
    trial = study.ask()
    study.start(0)
    study.preempt(0, "its node is gone")
    assert (trial.state, trial.reason) == (TrialState.PREEMPTED, "its node is gone")
    study.resume(0)
    assert (trial.state, trial.reason) == (TrialState.WAITING, None)


def test_a_scheduler_that_is_derived_from_the_one_that_stops_nothing_is_asked() -> None:
    class AtOnce(NoScheduler):
        """Stops every trial after its first epoch."""

        def report(self, trial: Any, epoch: int, values: Any) -> Decision:
            return Decision(stop=True, reason="it is enough")

    objectives = Objectives([Objective("loss", "minimise")])
    judge = Judge(AtOnce(objectives, 9))
    judge.added("a")
    assert judge.report("a", 1, {"loss": 1.0}).stop
