"""Looking at a study needs no right to write, and changes nothing, wherever one looks from."""

import json
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from search.cli.program import run_program
from search.runner.study_lookup import find_study
from search.store import ProcessIdentity, Store, TrialState, open_store
from tests.support.namespaces import PRIVATE_PIDS, run_in
from tests.support.postgres import PASSWORD, QUOTED_PASSWORD, PostgresServer
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

COMMANDS = {
    "studies": ["studies", "--json"],
    "best": ["best", "--json"],
    "preempted": ["best", "--where", "state = preempted", "--json"],
    "show": ["show", architecture(1).id, "--json"],
}


def leave_behind(store: Store) -> int:
    """A study whose driver was killed: a complete trial and one that ran; the run's id."""
    study = add_study(store, "left")
    driver = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(driver.pid)
    run = begin_run(store, study.id, pid=driver.pid, start_ticks=identity.start_ticks)
    complete_trial(store, study.id, run.id, 0, 0.5)
    store.trials.start(add_trial(store, study.id, run.id, 1).id, run.id)
    driver.kill()
    driver.communicate()
    return run.id


def check_answers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command answers, and shows what the killed driver left as preempted."""
    found = {}
    for name, arguments in COMMANDS.items():
        code = run_program([*arguments, "--store", url])
        captured = capsys.readouterr()
        assert (code, captured.err) == (0, "")
        found[name] = json.loads(captured.out)
    (study,) = found["studies"]
    assert not study["is_running"]
    assert (study["counts"]["complete"], study["counts"]["preempted"]) == (1, 1)
    assert [row["trial"] for row in found["best"]] == [0]
    assert [(row["trial"], row["state"]) for row in found["preempted"]] == [(1, "preempted")]
    (trial,) = found["show"]["trials"]
    assert trial["state"] == "preempted"
    assert "is gone" in trial["reason"]


def test_looking_writes_nothing_down(
    store: Store, store_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_id = leave_behind(store)
    check_answers(store_url, capsys)
    (run,) = store.runs.of_study(store.studies.get("left").id)
    assert (run.id, run.ended) == (run_id, None)
    states = [trial.state for trial in store.trials.of_study(run.study_id)]
    assert states == [TrialState.COMPLETE, TrialState.RUNNING]


RIGHTS = {
    "a role with SELECT only": ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}"],
    "a standby": [
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}",
        "ALTER ROLE {} SET default_transaction_read_only = on",
    ],
}


@pytest.fixture
def reader(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a store that a killed driver left, for a role of its own with these rights."""
    store_url = postgres_server.empty_database()
    with open_store(store_url, create=True) as store:
        leave_behind(store)
    name = f"reader_{secrets.token_hex(4)}"
    role = sql.Identifier(name)
    with psycopg.connect(store_url, autocommit=True) as admin:
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD))
        admin.execute(made)
        admin.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        for right in request.param:
            admin.execute(sql.SQL(right).format(role))
        place = urlsplit(store_url)
        host = f"{name}:{QUOTED_PASSWORD}@{place.hostname}:{place.port}"
        yield place._replace(netloc=host).geturl()
        admin.execute(sql.SQL("DROP OWNED BY {}").format(role))
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.postgres
@pytest.mark.parametrize("reader", RIGHTS.values(), ids=RIGHTS.keys(), indirect=True)
def test_who_may_only_read_sees_the_same(reader: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_answers(reader, capsys)


def test_another_container_does_not_end_a_live_search(tmp_path: Path) -> None:
    """Of the same host name, where the driver's pid is nobody's."""
    path = tmp_path / "live.db"
    with open_store(str(path), create=True) as store:
        study = add_study(store, "live")
        run = begin_run(store, study.id)
        trial = add_trial(store, study.id, run.id, 0)
        store.trials.start(trial.id, run.id)
        looking = ["-m", "search", "studies", "--json", "--store", str(path)]
        (seen,) = json.loads(run_in(*PRIVATE_PIDS, arguments=looking))
        assert seen["is_running"]
        assert seen["counts"]["running"] == 1
        assert store.runs.heartbeat(run.id)
        assert store.trials.get(trial.id).state is TrialState.RUNNING


def test_no_stored_text_steers_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "s.db")
    with open_store(url, create=True) as store:
        study = add_study(store, "odd")
        run = begin_run(store, study.id)
        complete_trial(store, study.id, run.id, 0, 0.5)
    with sqlite3.connect(url) as connection:
        connection.execute("UPDATE trials SET reason = ?", ("\x1b[2Jgone\u202efelt\x9b0m",))
    connection.close()
    assert run_program(["show", architecture(0).id, "--store", url]) == 0
    shown = capsys.readouterr().out
    assert r"\x1b[2Jgone\u202efelt\x9b0m" in " ".join(shown.split())
    for where in ("name = 'a\x1b[2J", "a\u202e = 1"):
        assert run_program(["best", "--where", where, "--store", url]) == 2
        said = capsys.readouterr().err.replace("\n", "")
        assert said.isprintable()
        assert "^" in said


def test_one_study_with_unknown_objectives_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = str(tmp_path / "s.db")
    with open_store(url, create=True) as store:
        add_study(store, "odd", objective={"objectives": {"joy": "maximise"}})
        add_study(store, "plain")
    assert run_program(["studies", "--store", url]) == 0
    said = capsys.readouterr()
    assert "odd" in said.out
    assert "plain" in said.out
    assert "* odd: Its objectives are not known to this version" in said.err
    assert "joy" in said.err
    assert run_program(["studies", "--json", "--store", url]) == 0
    rows = {row["name"]: row["objectives"] for row in json.loads(capsys.readouterr().out)}
    assert rows["odd"] is None
    assert list(rows["plain"]) == ["validation_accuracy"]


def test_a_run_that_is_refused_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = tmp_path / "s.db"
    with open_store(str(url), create=True) as store:
        add_study(store, "there")
    with sqlite3.connect(url) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    connection.close()
    before = url.read_bytes()
    assert find_study(str(url), "there") is not None
    assert find_study(str(url), "other") is None
    assert run_program(["continue", "there", "--store", str(url)]) == 2
    assert url.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [["continue", "x", "--trials"], ["continue", "x", "--pruned"], ["repeat", "x", "--top"]],
)
def test_no_more_trials_are_asked_for_than_a_study_may_have(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program([*words, "10000001", "--store", str(tmp_path / "s.db")]) == 2
    assert "1<=x<=10000000" in capsys.readouterr().err
