import socket
import subprocess
import sys
import time

import pytest
from sqlalchemy import update

from search.store import Store, TrialState, process_is_alive, process_started
from search.store.columns import utc_now
from search.store.models import Run
from tests.support.samples import add_study, add_trial, begin_run


def test_a_process_is_named_by_pid_and_start() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        started = process_started(child.pid)
        assert abs(started - time.time()) < 30
        assert process_is_alive(child.pid, started)
        assert not process_is_alive(child.pid, started - 60)
    finally:
        child.kill()
    # Ended, not collected yet: it is gone all the same.
    deadline = time.monotonic() + 10
    while process_is_alive(child.pid, started) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not process_is_alive(child.pid, started)
    child.wait()
    with pytest.raises(ProcessLookupError):
        process_started(child.pid)


def test_the_trials_of_a_process_that_is_gone_are_preempted(store: Store) -> None:
    study = add_study(store)
    gone = begin_run(store, study.id, process_started=1.0)
    live = begin_run(store, study.id)
    waiting = add_trial(store, study.id, gone.id, 0)
    running = add_trial(store, study.id, gone.id, 1)
    store.start_trial(running.id, gone.id)
    ended = add_trial(store, study.id, gone.id, 2)
    store.finish_trial(ended.id, "complete")
    other = add_trial(store, study.id, live.id, 3)
    store.start_trial(other.id, live.id)

    reaped = store.reap()
    assert [trial.id for trial in reaped] == [waiting.id, running.id]
    for trial in reaped:
        assert trial.state is TrialState.PREEMPTED
        assert trial.reason == f"process {gone.pid} on {socket.gethostname()} is gone"
    assert store.trial(ended.id).state is TrialState.COMPLETE
    assert store.trial(other.id).state is TrialState.RUNNING
    assert store.reap() == []
    ended_run, live_run = store.runs(study.id)
    assert ended_run.ended is not None
    assert ended_run.end_reason == reaped[0].reason
    assert live_run.ended is None
    assert not store.heartbeat(gone.id)
    assert store.heartbeat(live.id)


def test_another_host_counts_as_gone_by_its_heartbeat(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, host="elsewhere", process_started=1.0)
    trial = add_trial(store, study.id, run.id, 0)
    assert store.summary(study.id).is_running
    assert store.reap() == []
    old = update(Run).values(heartbeat=utc_now().replace(year=2020))
    store.write(lambda session: session.execute(old))
    assert not store.summary(study.id).is_running
    (reaped,) = store.reap(heartbeat_timeout=60)
    assert reaped.id == trial.id
    assert "no heartbeat from process" in (reaped.reason or "")
    assert "on elsewhere" in (reaped.reason or "")


def test_a_live_process_is_spared_however_old_its_heartbeat(store: Store) -> None:
    study = add_study(store)
    begin_run(store, study.id)
    assert store.reap(heartbeat_timeout=0) == []
    begin_run(store, study.id, pid=1, process_started=5.0)
    asked = []

    def alive(pid: int, started: float) -> bool:
        asked.append((pid, started))
        return True

    assert store.reap(alive=alive) == []
    assert (1, 5.0) in asked
