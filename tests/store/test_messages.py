"""What the store refuses is said word by word: the field, the value, and what is allowed."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from search.store import (
    ProcessIdentity,
    Store,
    StoreError,
    TrainedElsewhere,
    TrialRecord,
    copy_studies,
    open_store,
    stalled_heartbeats,
)
from search.store.read_only import _with_a_way_out
from search.store.schema import NEWEST
from search.store.sqlite_file import FileState
from search.store.stale_runs import HEARTBEAT_TIMEOUT, why_over, why_stale
from search.store.trials import DuplicateArchitecture
from search.store.url import parse_url
from space.errors import InputError, Problem
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

ALLOWED = (
    'allowed is a file such as "mixspace.db", "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE"'
)
THREE = "an SQLite URL has three slashes and then the file: sqlite:///FILE"
IN_MEMORY = f"a store in memory would be lost; {ALLOWED}"


def refused(work: Callable[[], Any]) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        work()
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", f"empty; {ALLOWED}"),
        ("a\0", f"holds a NUL, or bytes that are no UTF-8; {ALLOWED}"),
        ("a\udcff", f"holds a NUL, or bytes that are no UTF-8; {ALLOWED}"),
        ("mysql://h/d", f"unknown scheme 'mysql'; {ALLOWED}"),
        ("my sql://h/d", f"unknown scheme; {ALLOWED}"),
        ("x" * 41 + "://h", f"unknown scheme; {ALLOWED}"),
        (
            "postgres://u:a@b@h/d",
            "this postgresql URL has more than one '@'; write '@' as %40 in a password",
        ),
        ("postgresql://u@h:port/d", f"this postgresql URL cannot be read; {ALLOWED}"),
        ("postgresql://u:secret@h", f"the URL postgresql://u:***@h names no database; {ALLOWED}"),
        (
            "postgresql://h/d?port=x",
            "the options of this postgresql URL cannot be read: see its host and port",
        ),
        (
            "sqlite:///a.db?mode=ro",
            "an SQLite URL takes no options; a file with '?' in its name is given by its path "
            "alone, without sqlite:///",
        ),
        ("sqlite://host/a.db", THREE),
        ("sqlite://user@/a.db", THREE),
        ("sqlite://", IN_MEMORY),
        (":memory:", IN_MEMORY),
        ("file:a.db", IN_MEMORY),
        (
            "user:x@h/d",
            "looks like the URL of a server, which may hold a password, written in another way "
            f"than its own, so it is not shown; {ALLOWED}",
        ),
    ],
)
def test_of_a_url(text: str, said: str) -> None:
    assert refused(lambda: parse_url(text)) == [Problem("store", said)]


def test_of_studies(store: Store) -> None:
    get = store.studies.get
    (problem,) = refused(lambda: get("a"))
    assert problem == Problem("study", f"'a' does not exist; {store.url} holds no study yet")
    for name in ("one", "two", "three", "four", "five", "six"):
        add_study(store, name)
    newest = "the newest are 'six', 'five', 'four', 'three', 'two'"
    (problem,) = refused(lambda: get("ZZZ"))
    assert problem == Problem("study", f"'ZZZ' does not exist in {store.url}; {newest}")
    (problem,) = refused(lambda: get("thre"))
    assert problem.message == f"'thre' does not exist in {store.url}; did you mean 'three'?"
    (problem,) = refused(lambda: add_study(store, "one"))
    assert problem == Problem(
        "study",
        f"'one' is already in {store.url}; go on with it by resume=True, or begin another by "
        "study=NAME",
    )
    for name in ("", " a", "a ", "a\nb", "x" * 201):
        (problem,) = refused(lambda name=name: add_study(store, name))
        assert problem == Problem(
            "study",
            f"{name[:200]!r} cannot be a name; allowed are 1 to 200 printable characters without "
            "spaces at the ends",
        )
    add_study(store, "x" * 200)


def test_of_networks_and_devices(store: Store) -> None:
    def settings(prefix: str) -> Problem:
        (problem,) = refused(lambda: store.latencies.setting(prefix))
        return problem

    message = "'a' is none of the store's: there is none yet"
    assert settings("a") == Problem("setting", message)
    for id_ in ("ab", "ac"):
        store.latencies.add_setting(id_, {}, {})
    assert settings("a").message in (
        "'a' is several of the store's: ab, ac",
        "'a' is several of the store's: ac, ab",
    )
    assert settings("b").message.startswith("'b' is none of the store's: a")
    assert store.latencies.setting("ab").id == "ab"

    def networks(prefix: str) -> Problem:
        (problem,) = refused(lambda: store.architectures.get(prefix))
        return problem

    assert networks("xyz") == Problem("architecture", "'xyz' is no id; an id is 16 of 0-9 and a-f")
    assert networks("0" * 65).message == f"{'0' * 65!r} is no id; an id is 16 of 0-9 and a-f"
    assert networks("AB").message == "no architecture's id begins with 'ab'"
    study = add_study(store)
    ids: dict[str, list[str]] = {}
    for number in range(90):
        id_ = add_trial(store, study.id, None, number).architecture_id
        ids.setdefault(id_[0], []).append(id_)
    for prefix, found in ids.items():
        found.sort()
        if len(found) == 1:
            assert store.architectures.get(prefix).id == found[0]
        else:
            more = ", …" if len(found) > 5 else ""
            said = f"several ids begin with {prefix!r}: {', '.join(found[:5])}{more}"
            assert networks(prefix) == Problem("architecture", said)
    assert store.architectures.get(f" {found[0].upper()} ").id == found[0]


def test_of_trials(store: Store) -> None:
    study, other = add_study(store, "a"), add_study(store, "b")
    run, theirs = begin_run(store, study.id), begin_run(store, other.id)
    trial = add_trial(store, study.id, run.id, 0)
    with pytest.raises(DuplicateArchitecture) as twice:
        add_trial(store, study.id, run.id, 0)
    id_ = architecture(0).id
    assert str(twice.value) == f"architecture {id_} is trial 0 of the study already"
    assert twice.value.trial == trial
    with pytest.raises(TrainedElsewhere) as elsewhere:
        add_trial(store, other.id, theirs.id, 0, exclusive=True)
    assert str(elsewhere.value) == (
        f"architecture {id_} is waiting in another study with the same protocol"
    )
    assert elsewhere.value.trial == trial
    for state in ("waiting", "running", "preempted"):
        with pytest.raises(ValueError, match=f"^{state} does not end a trial$"):
            store.trials.finish(trial.id, state)
    for state in ("pruned", "failed", "infeasible"):
        with pytest.raises(ValueError, match=f"^a trial that is {state} needs a reason$"):
            store.trials.finish(trial.id, state, " ")
    with pytest.raises(LookupError, match=r"^no trial has the id 99$"):
        store.trials.get(99)
    store.runs.end(run.id, "it was stopped")
    with pytest.raises(StoreError, match=f"^run {run.id} has ended: it was stopped$"):
        add_trial(store, study.id, run.id, 1)


def test_of_results_that_are_taken_over(store: Store) -> None:
    study, other = add_study(store, "a"), add_study(store, "b")
    apart = add_study(store, "apart", protocol_hash="f" * 16)
    runs = {each.id: begin_run(store, each.id).id for each in (study, other, apart)}
    source = complete_trial(store, study.id, runs[study.id], 0, 0.5)
    mine = add_trial(store, study.id, runs[study.id], 1)

    def reuse(trial: TrialRecord, of: TrialRecord) -> str:
        with pytest.raises(ValueError, match="result") as caught:
            store.results.reuse(trial.id, of.id, trial.run_id or 0)
        return str(caught.value)

    same = "results are taken over from another study with the same protocol"
    assert reuse(mine, source) == same
    assert reuse(add_trial(store, apart.id, runs[apart.id], 0), source) == same
    theirs = add_trial(store, other.id, runs[other.id], 2)
    assert reuse(theirs, source) == f"trial {source.id} has no result of {theirs.architecture_id}"
    taken = add_trial(store, other.id, runs[other.id], 0)
    assert store.results.reuse(taken.id, source.id, runs[other.id])
    assert store.trials.get(taken.id).reason == "result of trial 0 of study 'a', same protocol"


def test_of_runs_that_are_at_work(store: Store, tmp_path: Path) -> None:
    study = add_study(store, "a")
    run = begin_run(store, study.id)
    works = f"process {run.pid} on {run.host} works on"
    assert refused(lambda: store.studies.delete(study.id)) == [
        Problem("study", f"{works} it; stop that run first")
    ]
    with open_store(str(tmp_path / "target.db"), create=True) as target:
        found = refused(lambda: copy_studies(store, target))
    assert found == [Problem("study", f"{works} 'a'")]
    waiting = add_trial(store, study.id, run.id, 0)
    store.trials.start(waiting.id, run.id)
    store.epochs.record(waiting.id, epoch(1, 0.5))
    message = "epochs were trained under another protocol"
    assert refused(lambda: store.studies.set_protocol(study.id, {}, "f" * 16)) == [
        Problem("protocol", message)
    ]


def test_of_runs_that_are_over(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id, boot_id="another", pid=4321, host="far")
    at = run.heartbeat
    late = at + timedelta(seconds=HEARTBEAT_TIMEOUT + 0.6)
    silent = f"no heartbeat from process 4321 on far for {HEARTBEAT_TIMEOUT + 1:.0f} s"
    assert why_stale(run, at + timedelta(seconds=HEARTBEAT_TIMEOUT)) is None
    assert why_stale(run, late) == silent
    assert why_over(run, late, None) is None
    assert why_over(run, late, at - timedelta(seconds=1)) is None
    assert why_over(run, late, at) == silent
    assert why_over(run, at, at) == "no heartbeat from process 4321 on far for 0 s"
    here = ProcessIdentity.of()
    own = {name: getattr(here, name) for name in ProcessIdentity.__slots__}
    gone = replace(run, **own | {"start_ticks": 1, "host": "near"})
    assert why_stale(gone, at) == f"process {here.pid} on near is gone"
    assert why_over(gone, at, None) == f"process {here.pid} on near is gone"
    assert why_over(replace(run, **own), late, at) is None
    said: list[str] = []
    stalled_heartbeats(store, study.id, say=said.append, interval=0.01, timeout=0.02)
    assert said == [
        "Watching for up to 0 s whether process 4321 on far, which cannot be seen from here, still "
        "works on this study ..."
    ]


def test_of_files(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    open_store(str(path), create=True).close()
    with sqlite3.connect(path) as other:
        (table,) = other.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE '%version%'"
        ).fetchone()
        other.execute(f"UPDATE {table} SET version_num = '9999'")
    other.close()
    shown = f"sqlite:///{path}"
    assert refused(lambda: open_store(str(path), create=False)) == [
        Problem(
            "store",
            f"{shown} has schema 9999, which is newer than this mixspace knows (up to {NEWEST}); "
            "update mixspace",
        )
    ]
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE b (x)")
        other.execute("CREATE TABLE a (x)")
    other.close()
    assert refused(lambda: open_store(str(foreign), create=True)) == [
        Problem("store", f"sqlite:///{foreign} belongs to another program (it has a table 'a')")
    ]
    folder = tmp_path / "none"
    assert refused(lambda: open_store(str(folder / "a.db"), create=True)) == [
        Problem("store", f"the folder {folder} does not exist")
    ]
    assert refused(lambda: open_store(str(tmp_path), create=True)) == [
        Problem("store", f"{tmp_path} is a folder; a store is a file in it")
    ]


@pytest.mark.parametrize("kind", ["log", "journal"])
def test_of_what_is_beside_a_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s.db"
    ending = {"log": "-wal", "journal": "-journal"}[kind]
    path.write_bytes(b"x")
    path.with_name(f"s.db{ending}").write_bytes(b"abc")
    found = replace(FileState.of(path), may_write=False)
    beside = getattr(found, kind)
    assert beside is not None
    assert beside[0] == 3
    assert {found.log, found.journal} == {beside, None}
    assert not found.rests
    for words in ("unable to open database file", "attempt to write a readonly database"):
        error = StoreError(words)
        assert str(_with_a_way_out(error, found)) == (
            f"{words}; {path} cannot be read where it cannot be written: copy it, and "
            f"s.db{ending} beside it, to a folder of your own"
        )
        assert _with_a_way_out(error, None) is error
        assert _with_a_way_out(error, replace(found, may_write=True)) is error
        assert _with_a_way_out(error, replace(found, log=None, journal=None)) is error
    other = StoreError("disk full")
    assert _with_a_way_out(other, found) is other
