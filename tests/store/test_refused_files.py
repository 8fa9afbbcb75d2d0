"""Files that cannot be read, or are at work elsewhere."""

import os
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from search.store import StoreError, open_store, open_to_read
from search.store import open as opening
from search.store.url import parse_url
from space.errors import InputError, Problem
from tests.store.test_reading import make


def refusal(error: pytest.ExceptionInfo[InputError]) -> str:
    (problem,) = error.value.problems
    assert problem == Problem("store", problem.message)
    return problem.message


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    make(path)
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.R_OK)
    with pytest.raises(InputError) as caught:
        open_store(str(path), create=False)
    assert refusal(caught) == f"{path} cannot be read: its permissions forbid it"
    # One that is not there yet has no permissions.
    open_store(str(tmp_path / "new.db"), create=True).close()


def test_a_working_folder_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "absolute", lambda path: Path("/bytes\udcff") / path)
    with pytest.raises(InputError) as caught:
        parse_url("s.db")
    assert refusal(caught) == ("the working folder's name is no UTF-8, which SQLite asks for")


def test_the_log_is_waited_for_until_the_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite does not wait by itself for the lock that another kind of log needs."""
    path = tmp_path / "s.db"
    make(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA journal_mode = delete")
    other.isolation_level = None
    other.execute("BEGIN")
    other.execute("SELECT * FROM studies").fetchall()
    slept: list[float] = []
    clock = iter((0.0, 0.01, 0.03, 0.031))
    monkeypatch.setattr(opening.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(opening.time, "sleep", slept.append)
    with pytest.raises(InputError) as caught:
        open_store(str(path), create=False, busy_timeout=0.03)
    assert refusal(caught) == f"{path} is locked by another process (database is locked)"
    assert slept == [0.05, 0.05]
    other.execute("COMMIT")
    other.close()


def test_a_file_that_changes_with_each_reading_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    make(path)
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with open_to_read(str(path)) as guest:
        states = iter(range(100))
        monkeypatch.setattr(type(guest._database), "_state", lambda _: next(states))
        seen: list[object] = []
        with pytest.raises(StoreError) as caught:
            guest.read(lambda connection: seen.append(connection.scalar(text("SELECT 1"))))
    assert str(caught.value) == (
        f"the store sqlite:///{path} failed: its file changes with each reading"
    )
    assert seen == [1] * 6
    assert pauses == [0.0, 0.01, 0.05, 0.2, 0.5]
