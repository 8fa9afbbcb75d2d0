import os
import socket
import sqlite3
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.store import Store, StoreError, open_store
from search.store.sqlite_file import is_on_network
from search.store.url import display, parse_url, scrub, sqlite_path
from space.errors import InputError
from tests.support.postgres import PASSWORD, QUOTED_PASSWORD, PostgresServer
from tests.support.samples import add_study


def refused(url: str, *, create: bool = True) -> str:
    """The message with which the URL is refused, traceback and all."""
    with pytest.raises(InputError) as caught:
        open_store(url, create=create)
    assert [problem.where for problem in caught.value.problems] == ["store"]
    assert caught.value.__cause__ is None
    text = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in text
    assert QUOTED_PASSWORD not in text
    return str(caught.value)


def test_a_store_is_made_once_and_found_again(store_url: str) -> None:
    assert "there is no" in refused(store_url, create=False)
    with open_store(store_url, create=True) as store:
        add_study(store, "kept")
    with open_store(store_url, create=True) as store:
        assert store.studies.exists("kept")
    with open_store(store_url, create=False) as store:
        assert store.studies.exists("kept")


def test_nothing_is_written_without_create(tmp_path: Path) -> None:
    refused(str(tmp_path / "a.db"), create=False)
    (tmp_path / "empty.db").touch()
    assert "there is no store" in refused(str(tmp_path / "empty.db"), create=False)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]
    assert (tmp_path / "empty.db").stat().st_size == 0


@pytest.mark.parametrize("form", ["{}/s.db", "sqlite:///{}/s.db", "sqlite+pysqlite:///{}/s.db"])
def test_spellings_of_one_file(tmp_path: Path, form: str) -> None:
    url = form.format(tmp_path)
    open_store(url, create=True).close()
    assert (tmp_path / "s.db").exists()
    with open_store(str(tmp_path / "s.db"), create=False) as store:
        assert store.url == f"sqlite:///{tmp_path}/s.db"


def test_home_and_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert sqlite_path(parse_url("~/s.db")) == tmp_path / "s.db"
    monkeypatch.chdir(tmp_path)
    assert sqlite_path(parse_url("sqlite:///s.db")) == tmp_path / "s.db"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "empty"),
        ("mysql://u:secret@h/d", "unknown scheme 'mysql'"),
        ("postgresql+asyncpg://u:secret@h/d", "unknown scheme 'postgresql+asyncpg'"),
        ("http://h", "unknown scheme"),
        ("postgresql://u:secret@h:port/d", "cannot be read"),
        ("postgresql://u:secret@h", "names no database"),
        ("postgresql://u:x@secret@127.0.0.1:1/x", "write '@' as %40 in a password"),
        ("postgresql://u:x@secret/y@127.0.0.1:1/x", "write '@' as %40 in a password"),
        ("sqlite://", "in memory"),
        (":memory:", "in memory"),
        ("sqlite://host/file", "three slashes"),
        ("sqlite:////tmp/file?mode=ro", "takes no options"),
        ("/nowhere/at/all/s.db", "the folder /nowhere/at/all does not exist"),
    ],
)
def test_what_is_no_store_url_is_refused(url: str, words: str) -> None:
    message = refused(url)
    assert words in message
    assert "secret" not in message


def test_folders_and_other_files_are_refused(tmp_path: Path) -> None:
    assert "is a folder" in refused(str(tmp_path))
    (tmp_path / "notes.txt").write_text("not a database, but longer than a header")
    assert "is not an SQLite database" in refused(str(tmp_path / "notes.txt"))
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"\x01" * 500)
    assert "or a damaged one" in refused(str(tmp_path / "torn.db"))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE trial_values (id INTEGER)")
    other.close()
    before = path.read_bytes()
    for create in (True, False):
        assert "another program" in refused(str(path), create=create)
    assert path.read_bytes() == before


def test_a_read_only_folder_is_refused() -> None:
    # Root may write into any folder but not into the kernel's.
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc here")
    assert "cannot be written" in refused("/proc/store.db")


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store in a folder that nobody can write; root, who still can, is told that it cannot."""
    path = tmp_path / "a folder" / "s?.db"
    path.parent.mkdir()
    with open_store(str(path), create=True) as store:
        add_study(store, "kept")
    path.chmod(0o444)
    path.parent.chmod(0o555)
    if os.geteuid() == 0:
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    yield path
    path.parent.chmod(0o755)


def test_a_store_that_cannot_be_written_can_be_read(read_only: Path) -> None:
    with open_store(str(read_only), create=False) as store:
        assert [study.name for study in store.studies.summaries()] == ["kept"]
        assert [path.name for path in read_only.parent.iterdir()] == ["s?.db"]
        with pytest.raises(StoreError, match="readonly database"):
            store.studies.set_planned_trials(1, 5)


def test_a_log_that_cannot_be_read_is_not_passed_over(read_only: Path) -> None:
    read_only.parent.chmod(0o755)
    read_only.with_name("s?.db-wal").mkdir()
    read_only.parent.chmod(0o555)
    message = refused(str(read_only), create=False)
    assert "cannot be read where it cannot be written" in message
    assert "s?.db-wal beside it, to a folder of your own" in message


def test_a_file_locked_by_another_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    begun = time.monotonic()
    with pytest.raises(InputError, match="is locked by another process"):
        open_store(str(path), create=True, busy_timeout=0.2)
    assert time.monotonic() - begun < 10
    other.close()


def test_a_server_that_refuses_connections() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        message = refused(f"postgresql://u:{QUOTED_PASSWORD}@127.0.0.1:{port}/d?password=2nd")
    assert f"127.0.0.1:{port}" in message
    assert "u:***@" in message
    assert "2nd" not in message


def test_a_server_that_never_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        begun = time.monotonic()
        message = refused(f"postgresql://u:{QUOTED_PASSWORD}@127.0.0.1:{port}/d?connect_timeout=2")
    assert time.monotonic() - begun < 8
    assert "does not answer" in message


@pytest.mark.postgres
def test_refusals_of_a_server(postgres_server: PostgresServer) -> None:
    assert "absent" in refused(postgres_server.url("absent"))
    wrong = postgres_server.url("postgres", user="nobody-here")
    assert "password authentication failed" in refused(wrong)


@pytest.mark.postgres
def test_a_shared_database_keeps_its_own_tables(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    with open_store(url, create=True) as store:
        add_study(store)
        assert "***" in store.url
        assert PASSWORD not in repr(store)


def test_passwords_are_scrubbed_however_they_are_spelt() -> None:
    url = parse_url("postgresql://u:p%40ss%2Fw@h/d?sslpassword=other")
    text = "login p@ss/w at u:p%40ss%2Fw@h with other failed"
    assert scrub(text, url) == "login *** at u:***@h with *** failed"
    assert "p@ss" not in display(url)
    assert display(url) == "postgresql://u:***@h/d?sslpassword=***"


def test_processes_that_open_a_new_store_at_once_migrate_it_once(store_url: str) -> None:
    stores: list[Store] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            stores.append(open_store(store_url, create=True))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [store.studies.summaries() for store in stores] == [[]] * 6
    for store in stores:
        store.close()


def test_wal_is_on_and_not_over_a_network(tmp_path: Path) -> None:
    open_store(str(tmp_path / "s.db"), create=True).close()
    with sqlite3.connect(tmp_path / "s.db") as file:
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    file.close()
    mounts = tmp_path / "mounts"
    kinds = f"1 0 0:0 / / rw - ext4 disk rw\n2 1 0:0 / {tmp_path} rw - nfs4 host:/x rw\n"
    mounts.write_text(kinds)
    assert is_on_network(tmp_path / "below", mounts)
    assert not is_on_network(tmp_path.parent, mounts)
    assert is_on_network(tmp_path, tmp_path / "absent")


def test_a_view_of_another_program_is_no_table_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "views.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE VIEW metrics AS SELECT 1")
    connection.close()
    with pytest.raises(InputError, match="metrics"):
        open_store(str(file), create=True)
