"""Studies from one store into another: all of them, faithfully, and nothing twice."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from search.store import Store, copy_studies, open_store
from space import Architecture
from space.errors import InputError
from tests.store.test_deletion import Tables, as_sets, fill, nothing_dangles, tables
from tests.support.samples import add_study, add_trial, begin_run, complete_trial


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a store with three studies of random trials."""
    file = tmp_path_factory.mktemp("filled") / "store.db"
    with open_store(str(file), create=True) as opened:
        gone = add_study(opened, "gone")
        add_trial(opened, gone.id, begin_run(opened, gone.id, start_ticks=1).id, 70)
        fill(opened, random.Random(7))
        opened.studies.delete(gone.id)  # no number is what a new store would give
    return file.read_bytes()


@pytest.fixture
def source(filled: bytes, tmp_path: Path) -> Iterator[Store]:
    """That store, to do with it what one likes."""
    file = tmp_path / "source.db"
    file.write_bytes(filled)
    with open_store(str(file), create=False) as opened:
        yield opened


def reuse(store: Store, of: str, by: str) -> None:
    """A new study has what another one has trained."""
    first = store.studies.get(of)
    source = next(t for t in store.trials.of_study(first.id) if t.state == "complete")
    study = add_study(store, by, protocol_hash=first.protocol_hash)
    run = begin_run(store, study.id)
    architecture = store.architectures.get(source.architecture_id)
    trial = store.trials.add(
        study.id,
        run.id,
        Architecture.from_json(architecture.json),
        params=architecture.params,
        macs=architecture.macs,
        origin="random",
        seeds={},
    )
    assert store.results.reuse(trial.id, source.id, run.id)
    store.runs.end(run.id)


def by_nature(found: Tables, studies: set[str] | None = None) -> dict[str, list[str]]:
    """All rows of some studies, with names in place of the numbers that a database gives."""
    names = {row["id"]: row["uid"] for row in found["studies"]}
    wanted = {
        id_
        for id_, row in ((row["id"], row) for row in found["studies"])
        if studies is None or row["name"] in studies
    }
    trials = {row["id"]: (names[row["study_id"]], row["number"]) for row in found["trials"]}
    mine = {row["id"] for row in found["trials"] if row["study_id"] in wanted}
    met = {row["architecture_id"] for row in found["trials"] if row["id"] in mine}
    runs = {row["id"]: (names[row["study_id"]], row["started"]) for row in found["runs"]}
    settings = {row["latency_setting"] for row in found["studies"] if row["id"] in wanted}
    references = {
        "study_id": names,
        "trial_id": trials,
        "source_trial_id": trials,
        "parent_trial_id": trials,
        "run_id": runs,
    }

    def belongs(table: str, row: dict[str, Any]) -> bool:
        if table == "latencies":
            return row["setting_id"] in settings and row["architecture_id"] in met
        if table.startswith("latency"):
            return row.get("setting_id", row["id"]) in settings
        if row.get("trial_id") is not None:
            return row["trial_id"] in mine
        if "study_id" in row:
            return row["study_id"] in wanted
        if table == "studies":
            return row["id"] in wanted
        return row.get("architecture_id", row.get("id")) in met

    def named(row: dict[str, Any]) -> dict[str, Any]:
        own = {} if isinstance(row.get("id"), str) else {"id": None}
        known = {k: references[k].get(v) for k, v in row.items() if k in references}
        of_all = {"trials": None} if "operators" in row else {}  # other studies' too
        return row | own | known | of_all

    return as_sets(
        {name: [named(r) for r in rows if belongs(name, r)] for name, rows in found.items()}
    )


def test_all_that_a_store_has_of_its_studies_comes_along(source: Store, store: Store) -> None:
    reuse(source, "a", "d")
    found = copy_studies(source, store)
    assert found.trials == {"a": 8, "b": 8, "c": 8, "d": 1}
    assert not found.present
    before, after = tables(source), tables(store)
    assert by_nature(after) == by_nature(before)
    assert {name for name, rows in after.items() if rows} == {n for n, r in before.items() if r} - {
        "latency_settings",  # no study has one as its own
        "latencies",
    }
    nothing_dangles(store)


def test_twice_is_once(source: Store, store: Store) -> None:
    copy_studies(source, store)
    before = tables(store)
    again = copy_studies(source, store)
    assert again.trials == {}
    assert again.present == {"a": (8, 8), "b": (8, 8), "c": (8, 8)}
    assert as_sets(tables(store)) == as_sets(before)


def test_there_and_back_is_the_same(source: Store, store: Store, tmp_path: Path) -> None:
    """Also beside what the other store has, and where the networks are known already."""
    study = add_study(store, "own")
    complete_trial(store, study.id, begin_run(store, study.id).id, 3, 0.5)
    source.write(lambda s: s.execute(text("UPDATE studies SET latency_setting = 'a'")))
    copy_studies(source, store, ["b", "c"])
    assert by_nature(tables(store), {"b", "c"}) == by_nature(tables(source), {"b", "c"})
    with open_store(str(tmp_path / "back.db"), create=True) as back:
        copy_studies(store, back, ["c", "b"])
        assert by_nature(tables(back)) == by_nature(tables(source), {"b", "c"})
    assert [run.ended for run in store.runs.of_study(study.id)] == [None]


def test_what_a_study_rests_on_comes_along(source: Store, store: Store) -> None:
    reuse(source, "a", "d")
    add_study(source, "e", config={"warm_start": ["d"], "finetune_from": None})
    add_study(source, "f", config={"warm_start": ["never there"], "finetune_from": "b"})
    plan = {"study": "e", "networks": []}
    source.studies.set_retrains(add_study(source, "e-retrained").id, plan)
    assert list(copy_studies(source, store, ["e-retrained"]).trials) == [
        "a",
        "d",
        "e",
        "e-retrained",
    ]
    assert by_nature(tables(store)) == by_nature(tables(source), {"a", "d", "e", "e-retrained"})
    found = copy_studies(source, store, ["f"])
    assert list(found.trials) == ["b", "f"]


def test_references_lead_to_the_study_that_is_there(source: Store, store: Store) -> None:
    copy_studies(source, store, ["a"])
    reuse(source, "a", "d")
    assert copy_studies(source, store, ["d"]).present == {"a": (8, 8)}
    assert by_nature(tables(store)) == by_nature(tables(source), {"a", "d"})


def test_a_study_that_has_gone_on_is_told_and_nothing_dangles(source: Store, store: Store) -> None:
    copy_studies(source, store, ["a"])
    study = source.studies.get("a")
    run = begin_run(source, study.id)
    complete_trial(source, study.id, run.id, 90, 0.5)
    source.runs.end(run.id)
    assert copy_studies(source, store, ["a"]).present == {"a": (8, 9)}
    newest = source.trials.of_study(study.id)[-1]
    source.write(
        lambda s: s.execute(
            text("UPDATE trials SET source_trial_id = :new WHERE study_id = :b"),
            {"new": newest.id, "b": source.studies.get("b").id},
        )
    )
    before = tables(store)
    with pytest.raises(InputError, match="an earlier copy: delete that first"):
        copy_studies(source, store, ["b"])
    assert as_sets(tables(store)) == as_sets(before)


def test_another_study_of_the_name_is_refused(source: Store, store: Store) -> None:
    add_study(store, "b")
    before = tables(store)
    with pytest.raises(InputError, match="'b' is the name of another study in"):
        copy_studies(source, store)
    assert as_sets(tables(store)) == as_sets(before)


def test_a_study_at_work_is_refused(source: Store, store: Store) -> None:
    run = begin_run(source, source.studies.get("b").id)
    with pytest.raises(InputError, match=f"process {run.pid} on .* works on 'b'"):
        copy_studies(source, store)
    assert list(copy_studies(source, store, ["a"]).trials) == ["a"]
    with pytest.raises(InputError, match="'x' does not exist"):
        copy_studies(source, store, ["x"])


def test_a_copied_study_goes_on(source: Store, store: Store) -> None:
    """Numbers that the database gives are free behind what was copied."""
    copy_studies(source, store)
    study = store.studies.get("a")
    run = begin_run(store, study.id)
    trial = complete_trial(store, study.id, run.id, 91, 0.5)
    assert trial.number == 8
    assert store.tags.add_note(trial.architecture_id, "new").id


def test_of_a_device_that_the_target_has_measured_itself_nothing_is_added(
    source: Store, store: Store
) -> None:
    figure = {"median_ms": 1.0, "reasons": [], "n": 40}
    for each in (source, store):
        each.latencies.add_setting("own", {"device": "cpu"}, {"name": "a device"})
    source.latencies.add_part("own", "p", {"kind": "stem"}, figure)
    source.write(lambda s: s.execute(text("UPDATE studies SET latency_setting = 'own'")))
    store.latencies.add_part("own", "q", {"kind": "head"}, figure | {"median_ms": 2.0})
    copy_studies(source, store, ["a"])
    assert store.latencies.parts("own")[0] == [({"kind": "head"}, figure | {"median_ms": 2.0})]
