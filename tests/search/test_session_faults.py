"""What a session does when a trial, its data or its surroundings fail; without Ray."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.driver.assignment import Report
from search.driver.extra_trials import continue_ended
from search.driver.failure_policy import FirstFailures
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.driver.study_setup import task_of
from search.schedulers import CONTINUE
from search.store import Store, StoreError, TrialRecord, TrialState, open_store
from space import InputError
from tests.search.driving import begin, end, epoch, run_all
from tests.search.small import config, values
from trainers import Cause, Failure, Retry

FAULTS = [
    Failure(Cause.SURROUNDINGS, "OSError: [Errno 28] No space left on device", "make space"),
    Failure(Cause.DATA, "x.png is not a readable image", "mend the file"),
]
BROKEN = Failure(Cause.CODE, "KeyError: 'x' (in run_epoch)")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


def hand_out(session: StudySession) -> int:
    assignment = session.next_assignment()
    assert assignment is not None
    session.started(assignment.trial.number)
    return assignment.trial.number


def trials(store: Store, session: StudySession) -> list[TrialRecord]:
    return store.trials.of_study(session.record.id)


# --- faults that are not the trial's --------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_surroundings_keeps_the_trial_and_stops_the_run(
    store: Store, tmp_path: Path, fault: Failure
) -> None:
    settings, stop = config(tmp_path, trials=3), StopRequest()
    session = begin(store, settings, stop=stop)
    hand_out(session)
    session.reported(0, Report((epoch(1),)))
    session.ended(0, Report(failure=fault))
    trial = trials(store, session)[0]
    assert (trial.state, trial.reason, trial.epochs_done) == ("preempted", fault.reason, 1)
    assert stop.kind == StopKind.FAULT
    assert fault.reason in stop.reason
    assert fault.advice in stop.reason
    end(store, session)

    resumed = begin(store, settings)
    run_all(resumed)
    assert {t.state for t in trials(store, session)} == {TrialState.COMPLETE}
    assert trials(store, session)[0].attempts == 2


def test_a_lost_node_is_not_counted_against_the_trial(store: Store, tmp_path: Path) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=1, retries=0), stop=stop)
    for _ in range(5):
        hand_out(session)
        session.crashed(0, Failure(Cause.SURROUNDINGS, "node lost", retry=Retry.OFTEN))
    assert stop.kind is None
    run_all(session)
    assert (trials(store, session)[0].state, trials(store, session)[0].attempts) == ("complete", 6)


def test_what_is_said_of_a_trial_that_goes_on_is_a_sentence(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = begin(store, config(tmp_path, trials=1))
    hand_out(session)
    session.crashed(0, Failure(Cause.CODE, "the worker process died", retry=Retry.COUNTED))
    said = "trial 0: the worker process died; it goes on in another worker"
    assert caplog.messages == [said]


def test_memory_held_by_others_is_tried_again_and_then_stops_the_run(
    store: Store, tmp_path: Path
) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=1, retries=1), stop=stop)
    held = Failure(Cause.SURROUNDINGS, "out of memory", retry=Retry.COUNTED)
    hand_out(session)
    session.ended(0, Report(failure=held))
    assert stop.kind is None
    hand_out(session)
    session.ended(0, Report(failure=held))
    assert (stop.kind, trials(store, session)[0].state) == (StopKind.FAULT, "preempted")


def test_memory_of_the_machine_is_tried_again_before_the_architecture_is_to_blame(
    store: Store, tmp_path: Path
) -> None:
    session = begin(store, config(tmp_path, trials=1, retries=1))
    low = Failure(Cause.ARCHITECTURE, "out of memory", infeasible=True, retry=Retry.COUNTED)
    for state in ("preempted", "infeasible"):
        hand_out(session)
        session.crashed(0, low)
        assert trials(store, session)[0].state == state


# --- a trial without a metric ---------------------------------------------------------------------


@pytest.mark.parametrize("metrics", [[], [None], [float("nan"), float("inf")]])
def test_no_trial_is_complete_without_a_metric(
    store: Store, tmp_path: Path, metrics: list[float | None]
) -> None:
    session = begin(store, config(tmp_path, trials=1, stop_after_same_failures=None))
    hand_out(session)
    rows = [epoch(n) | {"validation_accuracy": v} for n, v in enumerate(metrics, 1)]
    report = Report(tuple(rows), complete=True)
    session.reported(0, report)
    session.ended(0, report)
    trial = trials(store, session)[0]
    assert trial.state == TrialState.FAILED
    assert "without a finite validation_accuracy" in (trial.reason or "")


@pytest.mark.parametrize("rule", ["last", "best"])
@pytest.mark.parametrize("missing", [1, 2])
def test_one_finite_metric_will_do_where_the_trial_is_judged_by_it(
    store: Store, tmp_path: Path, rule: str, missing: int
) -> None:
    """Judged by the last epoch, the last must have it."""
    protocol = values()["protocol"] | {"judged_by": rule}
    settings = config(tmp_path, trials=1, protocol=protocol, stop_after_same_failures=None)
    session = begin(store, settings)
    hand_out(session)
    nothing = {"validation_accuracy": None, "validation_loss": None}
    rows = tuple(epoch(n, 0.5) | (nothing if n == missing else {}) for n in (1, 2))
    session.reported(0, Report(rows, complete=True))
    session.ended(0, Report(rows, complete=True))
    (trial,) = trials(store, session)
    in_vain = rule == "last" and missing == 2
    assert trial.state == (TrialState.FAILED if in_vain else TrialState.COMPLETE)
    assert trial.accuracy == (None if in_vain else 0.5)
    assert session.progress().best == trial.accuracy
    assert ("in its last epoch" in (trial.reason or "")) is in_vain


# --- everything fails -----------------------------------------------------------------------------


def fail(session: StudySession, reason: str) -> None:
    number = hand_out(session)
    session.ended(number, Report(failure=Failure(Cause.CODE, reason)))


def test_the_run_stops_when_its_first_trials_fail_alike(store: Store, tmp_path: Path) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=9, stop_after_same_failures=3), stop=stop)
    for number in range(3):
        assert stop.kind is None
        fail(session, f"ValueError: 0x{number}f at /a/{number}/b in step {number}")
    assert stop.kind == StopKind.FAULT
    assert "the first 3 trials of this run failed alike: ValueError" in stop.reason


def test_other_reasons_or_one_success_let_it_go_on(store: Store, tmp_path: Path) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=9, stop_after_same_failures=2), stop=stop)
    fail(session, "ValueError: x")
    fail(session, "KeyError: y")
    fail(session, "KeyError: y")
    assert stop.kind is None
    assert "stop_after_same_failures" in config(tmp_path).to_stored()


def test_a_run_of_nothing_but_infeasible_trials_stops_too(store: Store, tmp_path: Path) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=9, stop_after_same_failures=2), stop=stop)
    for size in (3, 7):
        number = hand_out(session)
        memory = Failure(Cause.ARCHITECTURE, f"out of memory: {size} GiB", infeasible=True)
        session.ended(number, Report(failure=memory))
    assert "the first 2 trials of this run were infeasible alike" in stop.reason
    assert "`mixspace.Study('tiny').continue_(infeasible=True)`" in stop.reason


def test_what_asks_for_a_stop_may_have_ended_what_the_trial_had_started(
    store: Store, tmp_path: Path
) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=1), stop=stop)
    hand_out(session)
    stop.request(StopKind.INTERRUPT, "interrupted by SIGTERM")
    session.ended(0, Report(failure=Failure(Cause.CODE, "CalledProcessError: died of SIGTERM")))
    trial = trials(store, session)[0]
    assert (trial.state, trial.reason) == ("preempted", "interrupted by SIGTERM")


def test_a_trial_that_takes_node_after_node_along_stops_the_run(
    store: Store, tmp_path: Path
) -> None:
    stop = StopRequest()
    session = begin(store, config(tmp_path, trials=1), stop=stop)
    lost = Failure(Cause.SURROUNDINGS, "the node of its worker was lost", retry=Retry.OFTEN)
    while stop.kind is None:
        hand_out(session)
        session.crashed(0, lost)
    assert trials(store, session)[0].state == TrialState.PREEMPTED
    assert trials(store, session)[0].attempts == 11


def test_where_only_costs_are_wanted_a_trial_still_needs_a_metric(
    store: Store, tmp_path: Path
) -> None:
    session = begin(store, config(tmp_path, trials=2, objectives={"params": "minimise"}))
    hand_out(session)
    session.ended(0, Report(complete=True))
    hand_out(session)
    metrics = epoch(1) | {"validation_accuracy": None}
    session.reported(1, Report((metrics,), complete=True))
    session.ended(1, Report((metrics,), complete=True))
    assert [t.state for t in trials(store, session)] == [TrialState.FAILED, TrialState.COMPLETE]


@given(st.lists(st.sampled_from(["a", "b", None]), max_size=8), st.integers(1, 4))
def test_the_rule_in_other_words(reasons: list[str | None], limit: int) -> None:
    watch = FirstFailures(limit)
    said = [
        watch.ended(TrialState.COMPLETE if r is None else TrialState.FAILED, r) for r in reasons
    ]
    first = reasons[:limit]
    alike = len(first) == limit and first[0] is not None and len(set(first)) == 1
    assert [place for place, why in enumerate(said) if why] == ([limit - 1] if alike else [])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no 550e8400-e29b-41d4-a716-446655440000", "no a3bb189e-8bf9-4c4c-9beb-0000deadbeef"),
        ("a rate of 0.003 in /tmp/a1b/x", "a rate of -1.2e-07 in /tmp/zz/y"),
    ],
)
def test_reasons_are_alike_but_for_ids_and_numbers(one: str, other: str) -> None:
    watch = FirstFailures(2)
    assert watch.ended(TrialState.FAILED, one) is None
    assert watch.ended(TrialState.FAILED, other) is not None


# --- failed trials on request ---------------------------------------------------------------------


def test_failed_trials_are_trained_again_on_request(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=3, stop_after_same_failures=None)
    session = begin(store, settings)
    fail(session, "KeyError: 'x'")
    fail(session, "KeyError: 'y'")
    run_all(session)
    end(store, session)
    extra = continue_ended(failed=True)(store, session.record, task_of(settings))
    again = begin(store, settings, extra=extra)
    run_all(again)
    assert {t.state for t in trials(store, session)} == {TrialState.COMPLETE}
    assert [t.attempts for t in trials(store, session)] == [2, 2, 1]
    end(store, again)
    third = begin(store, settings)  # its history, failures taken back, can be told again
    assert third.next_assignment() is None


@pytest.mark.parametrize("asked", [{"failed": True}, {"infeasible": True}, {"pruned": 2}])
def test_what_a_study_has_nothing_of_cannot_be_gone_on_with(
    store: Store, tmp_path: Path, asked: dict[str, Any]
) -> None:
    settings = config(tmp_path, trials=1)
    session = begin(store, settings)
    run_all(session)
    with pytest.raises(InputError) as error:
        continue_ended(**asked)(store, session.record, task_of(settings))
    (problem,) = error.value.problems
    assert problem.where == "study"
    assert problem.message == f"'tiny' has no {next(iter(asked))} trial to continue"


@pytest.mark.parametrize("state", ["failed", "infeasible"])
def test_a_single_trial_that_broke_off_goes_on_by_its_number(
    store: Store, tmp_path: Path, state: str
) -> None:
    settings = config(tmp_path, trials=1)
    session = begin(store, settings)
    hand_out(session)
    session.ended(0, Report(failure=Failure(Cause.CODE, "x", infeasible=state == "infeasible")))
    assert trials(store, session)[0].state == state
    end(store, session)
    extra = continue_ended(numbers=[0])(store, session.record, task_of(settings))
    run_all(begin(store, settings, extra=extra))
    assert trials(store, session)[0].state == TrialState.COMPLETE


def test_a_failed_trial_keeps_its_checkpoint_for_that(store: Store, tmp_path: Path) -> None:
    session = begin(store, config(tmp_path, trials=1))
    assignment = session.next_assignment()
    assert assignment is not None
    assignment.checkpoint.parent.mkdir(parents=True)
    assignment.checkpoint.write_text("weights")
    session.started(0)
    session.ended(0, Report(failure=BROKEN))
    assert assignment.checkpoint.exists()


# --- hung trials ----------------------------------------------------------------------------------


def test_a_hung_trial_is_preempted_and_the_second_time_failed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def silent_through(seconds: int) -> list[int]:
        nonlocal now
        for _ in range(seconds):
            now += 1
            hung = session.look_after()
        return hung

    settings = config(tmp_path, trials=1, retries=0, trial_time_limit="90s")
    session = begin(store, settings)
    for state in ("preempted", "failed"):
        hand_out(session)
        assert silent_through(80) == []
        session.reported(0, Report((epoch(1),)))
        assert silent_through(80) == []  # an epoch is a sign of life
        assert silent_through(80) == [0]
        session.crashed(0, Failure(Cause.CODE, "killed by the driver", retry=Retry.COUNTED))
        trial = trials(store, session)[0]
        assert (trial.state, trial.epochs_done) == (state, 1)
        assert trial.reason == "it hung: no epoch within 1 min 30 s (trial_time_limit)"


def test_no_trial_has_hung_while_the_driver_itself_stood_still(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl-Z, `docker pause` or a store that is waited for; reports wait to be read then."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    session = begin(store, config(tmp_path, trials=1, trial_time_limit="90s"))
    hand_out(session)
    for _ in range(3):
        now += 1000
        assert session.look_after() == []
    for second in range(92):
        now += 1
        assert session.look_after() == ([0] if second >= 90 else [])


def test_a_trial_that_waits_for_a_worker_has_not_hung(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(store, config(tmp_path, trials=1, trial_time_limit="1s"))
    session.next_assignment()
    later = time.monotonic() + 1000
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert session.look_after() == []


def test_what_is_said_of_a_trial_that_nobody_has_is_not_heard(store: Store, tmp_path: Path) -> None:
    session = begin(store, config(tmp_path, trials=2))
    given = session.next_assignment()
    assert given is not None
    session.started(0)
    assert session.reported(7, Report((epoch(1),))) == CONTINUE
    session.ended(7, Report(complete=True))
    session.crashed(7, Failure(Cause.CODE, "lost"))
    assert session.log_of(7) is None
    assert session.log_of(0) == given.log
    assert [trial.number for trial in store.trials.of_study(session.record.id)] == [0]
    assert session.live == 1


@pytest.mark.parametrize("error", [StoreError("the file is damaged"), OSError(28, "full")])
def test_what_ends_a_run_is_kept_for_the_driver(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    session = begin(store, config(tmp_path, trials=1))
    assert session.next_assignment() is not None

    def refuse(number: int) -> None:
        raise error

    monkeypatch.setattr(session._study, "start", refuse)
    with pytest.raises(type(error)) as raised:
        session.started(0)
    assert session.failure is raised.value is error
