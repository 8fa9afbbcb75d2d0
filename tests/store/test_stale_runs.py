"""Which runs are gone, what readers see of them, and what a driver that goes on writes down."""

import socket
import threading
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from search.store import (
    Heartbeat,
    ProcessIdentity,
    RunRecord,
    Store,
    TrainedElsewhere,
    TrialRecord,
    TrialState,
    stalled_heartbeats,
)
from search.store.heartbeat import patience
from search.store.models import RunRow, utc_now
from search.store.stale_runs import HEARTBEAT_TIMEOUT, why_stale
from tests.support.samples import add_study, add_trial, begin_run, complete_trial

UNKNOWN = {"boot_id": None, "pid_namespace": None, "start_ticks": None}
"""What runs of before say of their process."""


def set_heartbeat(store: Store, run: RunRecord, **age: float) -> datetime:
    heartbeat = utc_now() - timedelta(**age)
    beaten = update(RunRow).where(RunRow.id == run.id).values(heartbeat=heartbeat)
    store.write(lambda connection: connection.execute(beaten))
    return store.runs.of_study(run.study_id)[0].heartbeat


def left_open(store: Store, study_id: int, run: RunRecord) -> list[TrialRecord]:
    """A waiting and a running trial of the run, beside one that is complete."""
    waiting, running = (add_trial(store, study_id, run.id, number) for number in range(2))
    store.trials.start(running.id, run.id)
    complete_trial(store, study_id, run.id, 2, 0.5)
    return [waiting, running]


def written(store: Store, study_id: int) -> list[object]:
    """All that is written down of a study's course."""
    return [
        store.trials.of_study(study_id),
        store.runs.of_study(study_id),
        store.events.of_study(study_id),
    ]


# --- which runs are gone ----------------------------------------------------------------------


def run_of(process: ProcessIdentity, heartbeat: datetime) -> RunRecord:
    own = {name: getattr(process, name) for name in ProcessIdentity.__slots__}
    times = {"started": heartbeat, "heartbeat": heartbeat, "ended": None, "end_reason": None}
    return RunRecord(id=1, study_id=1, machine={}, code_version="0", **own, **times)


@given(age=st.floats(-1e8, 1e8))
def test_a_live_process_is_spared_however_old_its_heartbeat(age: float) -> None:
    now = utc_now()
    run = run_of(ProcessIdentity.of(), now - timedelta(seconds=age))
    assert why_stale(run, now) is None


@given(
    age=st.floats(-1e8, HEARTBEAT_TIMEOUT - 1),
    host=st.sampled_from([socket.gethostname(), "elsewhere"]),
    kernel=st.sampled_from([{"boot_id": "another"}, {"pid_namespace": "1"}, UNKNOWN]),
    pid=st.integers(1, 2**22),
)
def test_a_fresh_heartbeat_is_never_overruled_from_elsewhere(
    age: float, host: str, kernel: dict[str, str | None], pid: int
) -> None:
    me = ProcessIdentity.of()
    values = {"host": host, "pid": pid, "process_started": 1.0}
    known = {name: getattr(me, name) for name in UNKNOWN}
    now = utc_now()
    run = run_of(ProcessIdentity(**values | known | kernel), now - timedelta(seconds=age))
    assert why_stale(run, now) is None
    silent = run_of(run.process, now - timedelta(seconds=HEARTBEAT_TIMEOUT + 1))
    assert why_stale(silent, now) == f"no heartbeat from process {pid} on {host} for 61 s"


# --- what readers see -------------------------------------------------------------------------


def test_readers_see_the_trials_of_a_process_that_is_gone_as_preempted(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, start_ticks=1)
    opened = left_open(store, study.id, run)
    before = written(store, study.id)
    why = f"process {run.pid} on {socket.gethostname()} is gone"
    assert store.runs.stale() == {run.id: why}
    summary = store.studies.summary(study.id)
    assert not summary.is_running
    counts = {state: n for state, n in summary.counts.items() if n}
    assert counts == {TrialState.PREEMPTED: 2, TrialState.COMPLETE: 1}
    assert summary.best_accuracy == 0.5
    assert store.studies.summaries() == [summary]
    for trial in opened:
        (seen,) = store.trials.of_architecture(trial.architecture_id)
        assert (seen.state, seen.reason) == (TrialState.PREEMPTED, why)
    assert written(store, study.id) == before


def test_readers_see_a_live_run_as_it_is(store: Store) -> None:
    study = add_study(store)
    gone, live = begin_run(store, study.id, start_ticks=1), begin_run(store, study.id)
    left_open(store, study.id, live)
    add_trial(store, study.id, gone.id, 3)
    store.runs.end(gone.id)
    add_trial(store, study.id, None, 4)
    assert store.runs.stale() == {}
    summary = store.studies.summary(study.id)
    assert summary.is_running
    assert (summary.counts[TrialState.WAITING], summary.counts[TrialState.RUNNING]) == (2, 1)


def test_what_a_dead_run_of_another_study_left_is_not_busy(store: Store) -> None:
    dead, mine = add_study(store, "dead"), add_study(store, "mine")
    run = begin_run(store, dead.id, start_ticks=1)
    trial, _ = left_open(store, dead.id, run)
    before = written(store, dead.id)
    added = add_trial(store, mine.id, None, 0, exclusive=True)
    assert added.architecture_id == trial.architecture_id
    live = begin_run(store, dead.id)
    add_trial(store, dead.id, live.id, 3)
    with pytest.raises(TrainedElsewhere):
        add_trial(store, mine.id, None, 3, exclusive=True)
    assert written(store, dead.id)[0][:3] == before[0]


# --- a driver takes over ----------------------------------------------------------------------


def test_the_trials_of_a_process_that_is_gone_are_preempted(store: Store) -> None:
    study, other = add_study(store), add_study(store, "other")
    gone = begin_run(store, study.id, start_ticks=1)
    live = begin_run(store, study.id)
    opened = left_open(store, study.id, gone)
    running = add_trial(store, study.id, live.id, 3)
    store.trials.start(running.id, live.id)
    left_open(store, other.id, begin_run(store, other.id, start_ticks=1))
    others = written(store, other.id)

    reaped = store.runs.end_stale(study.id)
    assert [trial.id for trial in reaped] == [trial.id for trial in opened]
    for trial in reaped:
        assert trial.state is TrialState.PREEMPTED
        assert trial.reason == f"process {gone.pid} on {socket.gethostname()} is gone"
    assert store.trials.get(running.id).state is TrialState.RUNNING
    assert store.runs.end_stale(study.id) == []
    ended_run, live_run = store.runs.of_study(study.id)
    assert ended_run.ended is not None
    assert ended_run.end_reason == reaped[0].reason
    assert live_run.ended is None
    assert not store.runs.heartbeat(gone.id)
    assert store.runs.heartbeat(live.id)
    assert written(store, other.id) == others


@pytest.mark.parametrize("changes", [{"boot_id": "another"}, {"pid_namespace": "1"}, UNKNOWN])
def test_only_a_heartbeat_that_was_seen_standing_ends_a_run_elsewhere(
    store: Store, changes: dict[str, str | None]
) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, host="elsewhere", **changes)
    opened = left_open(store, study.id, run)
    heartbeat = set_heartbeat(store, run, days=1)
    assert not store.studies.summary(study.id).is_running
    assert store.runs.end_stale(study.id) == []
    assert store.runs.end_stale(study.id, stalled={run.id: heartbeat - timedelta(seconds=5)}) == []
    assert store.runs.heartbeat(run.id)  # it beats: what was seen before counts no more
    assert store.runs.end_stale(study.id, stalled={run.id: heartbeat}) == []
    heartbeat = set_heartbeat(store, run, days=1)
    reaped = store.runs.end_stale(study.id, stalled={run.id: heartbeat})
    assert [trial.id for trial in reaped] == [trial.id for trial in opened]
    assert f"no heartbeat from process {run.pid} on elsewhere" in (reaped[0].reason or "")


# --- watching ---------------------------------------------------------------------------------


def test_a_heartbeat_that_moves_is_found_out_however_old_it_looks(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, boot_id="another")
    set_heartbeat(store, run, hours=3)
    said: list[str] = []
    with Heartbeat(store.runs.heartbeat, run.id, interval=0.05):
        assert stalled_heartbeats(store, study.id, say=said.append, interval=10.0) == {}
    assert len(said) == 1
    assert f"process {run.pid} on {run.host}, which cannot be seen from here" in said[0]


@pytest.mark.parametrize("age", [-3600.0, 0.0, 3600.0])
def test_a_heartbeat_that_stands_is_found_out(store: Store, age: float) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, boot_id="another")
    heartbeat = set_heartbeat(store, run, seconds=age)
    found = stalled_heartbeats(store, study.id, say=lambda _: None, interval=0.05, timeout=0.3)
    assert found == {run.id: heartbeat}
    store.runs.end_stale(study.id, stalled=found)
    assert store.runs.of_study(study.id)[0].ended is not None


@given(age=st.floats(-1e8, 1e8))
def test_no_heartbeat_is_watched_for_less_than_two_intervals_or_for_over_a_minute(
    age: float,
) -> None:
    seconds = patience(age, 5.0, 60.0)
    assert 10.0 <= seconds <= 60.0
    assert age + seconds >= 60.0 or seconds == 60.0


def test_there_is_nothing_to_watch_where_processes_can_be_seen(store: Store) -> None:
    study, other = add_study(store), add_study(store, "other")
    begin_run(store, study.id)
    begin_run(store, study.id, start_ticks=1)
    begin_run(store, other.id, boot_id="another")
    said: list[str] = []
    assert stalled_heartbeats(store, study.id, say=said.append) == {}
    assert said == []


def test_a_run_that_ends_meanwhile_is_not_waited_for(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, boot_id="another")
    ending = threading.Thread(target=store.runs.end, args=(run.id,))
    found = stalled_heartbeats(store, study.id, say=lambda _: ending.start(), interval=10.0)
    ending.join()
    assert found == {}
    assert store.runs.of_study(study.id)[0].end_reason == "the run ended before the trial"
