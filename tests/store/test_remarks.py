"""Tags and notes written by those who only look: one remark at a time, and nothing else."""

import functools
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, event

from search.store import Store, StoreError
from search.store.database import make_engine
from search.store.remarks import Remarks
from space.errors import InputError, Problem
from tests.support.old_stores import old_store
from tests.support.samples import add_study, add_trial, architecture

ABSENT = architecture(7).id


@pytest.fixture
def ids(store: Store) -> list[str]:
    """Two architectures of one study."""
    study = add_study(store)
    return [add_trial(store, study.id, None, number).architecture_id for number in (1, 2)]


def problem(error: pytest.ExceptionInfo[InputError]) -> Problem:
    (found,) = error.value.problems
    return found


def test_tags_are_given_and_taken_away_and_counted(
    store: Store, store_url: str, ids: list[str]
) -> None:
    first, second = ids
    remarks = Remarks(store_url)
    assert remarks.why_not() is None
    assert remarks.add_tag([first], "good") == 1
    assert remarks.add_tag(ids, "good") == 1
    assert remarks.add_tag(ids, "new") == 2
    assert remarks.add_tag([], "good") == 0
    assert store.tags.of(ids) == {first: ["good", "new"], second: ["good", "new"]}
    assert remarks.remove_tag([first], "good") == 1
    assert remarks.remove_tag(ids, "good") == 1
    assert remarks.remove_tag(ids, "good") == 0
    assert store.tags.of(ids) == {first: ["new"], second: ["new"]}


def test_notes_are_written_and_taken_away(store: Store, store_url: str, ids: list[str]) -> None:
    first, second = ids
    remarks = Remarks(store_url)
    for id_, text in ((first, " one "), (first, "two"), (second, "of another")):
        remarks.add_note(id_, text)
    one, two = store.tags.notes_of(first)
    assert (one.text, two.text) == ("one", "two")
    assert not remarks.remove_note(second, one.id)
    assert remarks.remove_note(first, one.id)
    assert not remarks.remove_note(first, one.id)
    assert store.tags.notes_of(first) == [two]
    assert [note.text for note in store.tags.notes_of(second)] == ["of another"]


def test_what_cannot_be_said_is_refused(store: Store, store_url: str, ids: list[str]) -> None:
    remarks = Remarks(store_url)
    with pytest.raises(InputError) as caught:
        remarks.add_tag([], "a'b")  # also where nothing would get it
    assert problem(caught) == Problem(
        "tag",
        '"a\'b" cannot be one; allowed are 1 to 50 printable characters without quotation marks, '
        "and without spaces at the ends",
    )
    with pytest.raises(InputError) as caught:
        remarks.add_note(ids[0], " ")
    assert problem(caught) == Problem("text", "must have 1 to 10,000 characters, got 0")
    absent = Problem("architecture", f"no architecture has the id {ABSENT!r}")
    with pytest.raises(InputError) as caught:
        remarks.add_tag([ABSENT], "good")
    assert problem(caught) == absent
    with pytest.raises(InputError) as caught:
        remarks.add_note(ABSENT, "text")
    assert problem(caught) == absent
    assert store.tags.of([*ids, ABSENT]) == {}


def test_no_file_is_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    remarks = Remarks(str(missing))
    with pytest.raises(InputError) as caught:
        remarks.add_tag([ABSENT], "good")
    assert problem(caught) == Problem("store", f"there is no file {missing}")
    assert not missing.exists()


def test_a_file_that_may_only_be_read_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "store.db").touch()
    asked: list[tuple[Path, int]] = []

    def access(path: Path, mode: int) -> bool:
        asked.append((path, mode))
        return path != tmp_path / "store.db"

    monkeypatch.setattr(os, "access", access)
    assert Remarks(str(tmp_path / "store.db")).why_not() == "this server may only read its file"
    assert asked == [(tmp_path / "store.db", os.W_OK)]


def test_an_earlier_schema_stays_as_it_is(tmp_path: Path) -> None:
    old = old_store(tmp_path / "old.db", "0001")
    before = old.read_bytes()
    remarks = Remarks(str(old))
    assert remarks.why_not() == (
        "the store has the schema of an earlier mixspace, and looking changes nothing: "
        "`python -m search upgrade` brings it up to date"
    )
    with pytest.raises(InputError) as caught:
        remarks.add_tag([ABSENT], "good")
    assert problem(caught) == Problem(
        "store",
        f"sqlite:///{old} has the schema of an earlier mixspace, and looking changes nothing; "
        f"`python -m search upgrade --store sqlite:///{old}` brings it up to date, "
        "as the next `run` does",
    )
    assert old.read_bytes() == before


RIGHTS = (
    ("current_setting", "transaction_read_only"),
    ("has_table_privilege", "architecture_tags", "INSERT"),
    ("has_table_privilege", "architecture_notes", "INSERT"),
    ("has_sequence_privilege", "architecture_notes.id", "USAGE"),
    ("has_any_column_privilege", "architectures", "UPDATE"),
)
"""What a server is asked: the function that says so, and of what."""


@pytest.mark.parametrize("lacking", [None, *RIGHTS])
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_server_is_asked_for_each_right(
    store: Store, store_url: str, lacking: tuple[str, ...] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands in for the server, with the functions that a server has."""

    def says(function: str, *asked: str) -> str | bool:
        has = (function, *asked) in set(RIGHTS) - {lacking}
        return has if function != "current_setting" else "off" if has else "on"

    def engine_of_a_server(url: URL, busy_timeout: float) -> Engine:
        engine = make_engine(url, busy_timeout)

        @event.listens_for(engine, "connect")
        def _connected(connection: sqlite3.Connection, _record: object) -> None:
            connection.create_function("pg_get_serial_sequence", 2, lambda *a: ".".join(a))
            for name in {function for function, *_ in RIGHTS}:
                connection.create_function(name, -1, functools.partial(says, name))

        return engine

    monkeypatch.setattr("search.store.remarks.make_engine", engine_of_a_server)
    monkeypatch.setattr("search.store.remarks.is_sqlite", lambda _: False)
    why_not = Remarks(store_url).why_not()
    assert why_not == (lacking and "the database lets this server's user read alone")


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
@pytest.mark.postgres
def test_a_server_that_lets_its_user_read_alone_takes_none(
    store: Store, store_url: str, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    remarks = Remarks(store_url)
    assert remarks.why_not() == "the database lets this server's user read alone"
    with pytest.raises(StoreError, match="read-only"):
        remarks.add_tag(ids, "good")
    assert store.tags.of(ids) == {}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_file_that_another_program_writes_to_is_waited_for_and_told(
    store: Store, ids: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.store.remarks._BUSY_SECONDS", 0.01)
    monkeypatch.setattr("search.store.database.WRITE_PAUSES", ())
    file = tmp_path / "store.db"
    store.close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="database is locked"):
        Remarks(str(file)).add_tag(ids, "good")
    other.execute("ROLLBACK")
    other.close()
    assert Remarks(str(file)).add_tag(ids, "good") == 2
