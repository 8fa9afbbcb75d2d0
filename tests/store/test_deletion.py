"""Deleting a study: what goes, what stays, what refuses it; against a slow oracle on all tables."""

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, select, text, update

from search.store import ParentRecord, Store, StoreError, TrialRecord, open_store, trials
from search.store.models import Base, RunRow
from space.errors import InputError
from tests.support.postgres import PostgresServer
from tests.support.samples import add_study, add_trial, begin_run, complete_trial, epoch

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def tables(store: Store) -> Tables:
    """All rows of a store."""

    def read(connection: Connection) -> Tables:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }

    return store.read(read)


def without(before: Tables, study_id: int) -> Tables:
    """What is to be left, worked out row by row."""
    trials = {row["id"] for row in before["trials"] if row["study_id"] == study_id}
    left = [row for row in before["trials"] if row["study_id"] != study_id]
    met = {row["architecture_id"] for row in before["trials"] if row["id"] in trials}
    kept = {row["architecture_id"] for row in [*left, *before["test_readings"]]}
    gone = met - kept
    readings = [
        row | ({"trial_id": None} if row["trial_id"] in trials else {})
        for row in before["test_readings"]
    ]
    by_trial = {"metrics", "events"}
    by_architecture = {"architecture_mixers", "architecture_tags", "architecture_notes"}
    after: Tables = {"trials": left, "test_readings": readings}
    for name, rows in before.items():
        if name in by_trial:
            after[name] = [row for row in rows if row["trial_id"] not in trials]
        elif name in by_architecture:
            after[name] = [row for row in rows if row["architecture_id"] not in gone]
        elif name == "architectures":
            counts = Counter(row["architecture_id"] for row in left)
            after[name] = [
                row | {"trials": counts[row["id"]]} for row in rows if row["id"] not in gone
            ]
        elif name == "studies":
            after[name] = [row for row in rows if row["id"] != study_id]
        elif name == "runs":
            after[name] = [row for row in rows if row["study_id"] != study_id]
        else:
            after.setdefault(name, rows)
    return after


def as_sets(found: Tables) -> dict[str, list[str]]:
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def fill(store: Store, rng: random.Random) -> list[int]:
    """Studies that share networks, with tags, readings, latencies, and weights handed on."""
    store.latencies.add_setting("a", {}, {})
    ids = []
    for name in ("a", "b", "c"):
        study = add_study(store, name, protocol_hash=name * 16)
        run = begin_run(store, study.id)
        done: list[TrialRecord] = []
        for number in rng.sample(range(12), 7):
            parent = (
                ParentRecord(rng.choice(done).id, "wider") if done and rng.random() < 0.5 else None
            )
            trial = complete_trial(store, study.id, run.id, number, rng.random(), parent=parent)
            done.append(trial)
            if rng.random() < 0.4:
                store.tags.add(trial.architecture_id, rng.choice("xyz"))
                store.tags.add_note(trial.architecture_id, name)
            if rng.random() < 0.3:
                read_the_test(store, trial)
            figure = {"median_ms": 1.0, "reasons": []}
            store.latencies.add("a", trial.architecture_id, figure, name)
        add_trial(store, study.id, run.id, 50 + study.id)
        store.runs.end(run.id)
        ids.append(study.id)
    return ids


def read_the_test(store: Store, trial: TrialRecord) -> None:
    told = {"images": 10, "chance": 0.1, "content_hash": "c", "device": "cpu"}
    reading = store.test_audit.begin(trial.id, protocol_hash="p", **told)  # type: ignore[arg-type]
    store.test_audit.complete(reading.id, 0.5)


@pytest.mark.parametrize("seed", range(2))
def test_what_goes_is_what_the_oracle_says(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    ids = fill(store, rng)
    rng.shuffle(ids)
    for study_id in ids:
        before = tables(store)
        told = store.studies.contents(study_id)
        gone = store.studies.delete(study_id)
        after = tables(store)
        assert as_sets(after) == as_sets(without(before, study_id))
        assert told == gone
        numbers = {
            "trials": gone.trials,
            "metrics": gone.epochs,
            "events": gone.events,
            "runs": gone.runs,
            "architectures": gone.architectures,
            "architecture_tags": gone.tags,
            "architecture_notes": gone.notes,
            "studies": 1,
        }
        for name, number in numbers.items():
            assert len(before[name]) - len(after[name]) == number, name
        nothing_dangles(store)
    assert not any(after[name] for name in ("studies", "trials", "metrics", "events", "runs"))
    # What was read for the test is known for ever, and of what network.
    readings = store.test_audit.readings()
    assert {row["id"] for row in after["architectures"]} == {r.architecture_id for r in readings}
    assert len(after["latencies"]) == 21


def nothing_dangles(store: Store) -> None:
    """No reference, which a server refuses and SQLite can be asked for; and all is counted."""
    found = tables(store)
    counts = Counter(row["architecture_id"] for row in found["trials"])
    assert all(row["trials"] == counts[row["id"]] for row in found["architectures"])

    def broken(connection: Connection) -> Any:
        if connection.dialect.name != "sqlite":
            return []
        return connection.execute(text("PRAGMA foreign_key_check")).all()

    assert store.read(broken) == []


def reused(store: Store, source: TrialRecord) -> None:
    study = add_study(store, "taker")
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 1)
    assert store.results.reuse(trial.id, source.id, run.id)
    store.runs.end(run.id)


def inherited(store: Store, source: TrialRecord) -> None:
    add_trial(store, add_study(store, "heir").id, None, 2, parent=ParentRecord(source.id, "wider"))


def retrained(store: Store, source: TrialRecord) -> None:
    plan = {"study": "study", "networks": []}
    store.studies.set_retrains(add_study(store, "study-retrained").id, plan)


def warmed(store: Store, source: TrialRecord) -> None:
    add_study(store, "learner", config={"warm_start": ["other", "study"]})


def finetuned(store: Store, source: TrialRecord) -> None:
    add_study(store, "tuned", config={"finetune_from": "study"})


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (reused, "1 trial of study 'taker' took over its results"),
        (inherited, "1 trial of study 'heir' began with its weights"),
        (retrained, "study 'study-retrained' retrains its networks"),
        (warmed, "study 'learner' learns from it"),
        (finetuned, "study 'tuned' starts from its weights"),
    ],
)
def test_what_rests_on_a_study_refuses_its_deletion(store: Store, rest: Any, said: str) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    source = complete_trial(store, study.id, run.id, 1, 0.5)
    store.runs.end(run.id)
    rest(store, source)
    before = tables(store)
    for ask in (store.studies.contents, store.studies.delete):
        with pytest.raises(InputError, match=said):
            ask(study.id)
    assert as_sets(tables(store)) == as_sets(before)
    (other,) = (each for each in store.studies.summaries() if each.id != study.id)
    store.studies.delete(other.id)  # what rests on it can go, and then it can
    assert store.trials.get(source.id) == source
    store.studies.delete(study.id)
    assert not any(tables(store)[name] for name in ("studies", "trials", "architectures"))


def test_a_run_that_works_on_it_refuses_and_one_that_died_does_not(store: Store) -> None:
    study = add_study(store)
    complete_trial(store, study.id, begin_run(store, study.id, start_ticks=1).id, 1, 0.5)
    store.studies.contents(study.id)  # its process is gone
    run = begin_run(store, study.id)
    with pytest.raises(InputError, match=f"process {run.pid} on .* works on it"):
        store.studies.delete(study.id)
    # One on another machine lives as long as its heartbeat.
    store.write(lambda s: s.execute(update(RunRow).where(RunRow.id == run.id).values(host="far")))
    with pytest.raises(InputError, match="on far works on it"):
        store.studies.delete(study.id)
    store.runs.end(run.id)
    assert store.studies.delete(study.id).runs == 2


def test_all_problems_are_told_at_once(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    source = complete_trial(store, study.id, run.id, 1, 0.5)
    reused(store, source)
    retrained(store, source)
    with pytest.raises(InputError) as caught:
        store.studies.delete(study.id)
    assert len(caught.value.problems) == 3


def test_a_study_that_is_not_there(store: Store) -> None:
    with pytest.raises(LookupError):
        store.studies.delete(7)


@pytest.mark.postgres
def test_a_network_that_another_begins_to_train_meanwhile_is_there_for_it(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion begins when the network was found to be there, and before the trial is."""
    url = postgres_server.create_database()
    with open_store(url, create=True) as store, open_store(url, create=False) as other:
        old, new = add_study(store, "old"), add_study(store, "new", protocol_hash="new")
        add_trial(store, old.id, None, 1)
        add, gone = trials.add_architecture, []

        def with_a_deletion_beside(connection: Connection, *values: Any) -> bool:
            is_new = add(connection, *values)
            gone.append(pool.submit(store.studies.delete, old.id))
            until(lambda: connection.scalar(_WAITING) == 1 or gone[0].done())
            return is_new

        monkeypatch.setattr(trials, "add_architecture", with_a_deletion_beside)
        with ThreadPoolExecutor(1) as pool:
            trial = add_trial(other, new.id, None, 1)
            assert gone[0].result().architectures == 0
        assert store.architectures.get(trial.architecture_id).mixers
        assert store.trials.of_study(new.id) == [trial]


_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_comes_too_late_is_told(store: Store) -> None:
    """A driver whose study was deleted under it writes nothing any more."""
    study = add_study(store)
    trial = add_trial(store, study.id, None, 1)
    store.studies.delete(study.id)
    with pytest.raises((LookupError, StoreError)):
        add_trial(store, study.id, None, 2)
    assert store.epochs.record(trial.id, epoch(1, 0.5)) is False
    assert not any(tables(store)[name] for name in ("trials", "metrics", "architectures"))
