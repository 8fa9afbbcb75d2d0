"""Whoever looks at a store sees what was written, whatever became of its file meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from search.store import Store, StoreError, open_store, open_to_read, sqlite_file
from space.errors import InputError
from tests.support.samples import add_study
from tests.support.without_rights import ask, give_away, in_own_mounts, python_without_rights

NAME = "study"

READER = """
import sys
from search.store import open_store, open_to_read
opening = {"read": open_to_read, "work": lambda url: open_store(url, create=False)}[sys.argv[1]]
with opening(sys.argv[2]) as store:
    print(store.studies.get("study").planned_trials, flush=True)
    for line in sys.stdin:
        print(store.studies.get("study").planned_trials, flush=True)
"""
DRIVER = """
import sys
from search.store import open_store
with open_store(sys.argv[1], create=False) as store:
    for line in sys.stdin:
        store.studies.set_planned_trials(store.studies.get("study").id, int(line))
        print(line.strip(), flush=True)
"""


@cache
def template() -> bytes:
    """A store with one study, made once, as it takes long."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.db"
        with open_store(str(path), create=True) as store:
            add_study(store, NAME)
        return path.read_bytes()


def make(path: Path, planned: int = 1) -> None:
    path.write_bytes(template())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE studies SET planned_trials = ?", (planned,))
    connection.close()


def plan(store: Store, planned: int) -> None:
    store.studies.set_planned_trials(store.studies.get(NAME).id, planned)


def planned(store: Store) -> int:
    return store.studies.get(NAME).planned_trials


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def driver(path: Path) -> subprocess.Popen[str]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


@pytest.mark.thorough
def test_readers_who_may_not_write_see_what_the_owner_writes_later(tmp_path: Path) -> None:
    path = tmp_path / "s" / "a store.db"
    path.parent.mkdir()
    make(path)
    link = tmp_path / "pub" / "latest.db"
    link.parent.mkdir()
    link.symlink_to(path)
    if os.geteuid() != 0:
        pytest.skip("one user cannot be both the owner and another")
    give_away(path.parent, path, link.parent, link)
    with (
        ended(python_without_rights(READER, "work", str(path))) as direct,
        ended(python_without_rights(READER, "read", str(link))) as linked,
    ):
        readers = (direct, linked)
        assert [first_line(reader) for reader in readers] == ["1", "1"]
        with ended(driver(path)) as owner:
            assert ask(owner, "77") == "77"
            assert [ask(reader, "?") for reader in readers] == ["77", "77"]
            assert ask(owner, "78") == "78"
            with ended(python_without_rights(READER, "work", str(link))) as late:
                assert first_line(late) == "78"
        # Killed: its log stays behind.
        assert [ask(reader, "?") for reader in readers] == ["78", "78"]
        with open_store(str(path), create=False) as store:
            plan(store, 79)
        assert [ask(reader, "?") for reader in readers] == ["79", "79"]
        names = {each.name for each in path.parent.iterdir()} - {"a store.db"}
        assert not names, "a reader left files that the owner cannot write"


READ_ONLY_MOUNT = """
mount --bind "$1" "$2"
mount -o remount,ro,bind "$2"
exec "$3" -c "$4" read "$2/s.db"
"""


def test_a_read_only_mount_of_a_store_at_work_is_never_stale(tmp_path: Path) -> None:
    path, mounted = tmp_path / "s" / "s.db", tmp_path / "seen"
    path.parent.mkdir()
    mounted.mkdir()
    make(path)
    arguments = (str(path.parent), str(mounted), sys.executable, READER)
    with ended(in_own_mounts(READ_ONLY_MOUNT, *arguments)) as reader:
        assert first_line(reader) == "1"
        with ended(driver(path)) as owner:
            for number in range(2, 6):
                ask(owner, str(number))
                assert ask(reader, "?") == str(number)
        with open_store(str(path), create=False) as store:
            plan(store, 9)
        assert ask(reader, "?") == "9"


class Folder:
    """A store with a link to it and a writer, in which all that may happen to a file happens."""

    def __init__(self, folder: Path) -> None:
        self.file, self.link = folder / "s.db", folder / "link.db"
        self.spare = folder / "spare.db"
        self.number = 1
        self.others = 0
        make(self.file)
        self.link.symlink_to(self.file)
        self.writer: Store | None = None

    def write(self) -> None:
        self.number += 1
        if self.writer is None:
            self.writer = open_store(str(self.real), create=False)
        plan(self.writer, self.number)

    @property
    def real(self) -> Path:
        return self.link.resolve()

    def rest(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None

    def replace(self) -> None:
        """Another file takes its place, as of a backup that is put back."""
        self.rest()
        self.number += 100
        make(self.spare, self.number)
        self.spare.replace(self.real)

    def make_anew(self) -> None:
        self.rest()
        self.real.unlink()
        self.number += 1000
        make(self.real, self.number)

    def lead_elsewhere(self) -> None:
        self.rest()
        self.others += 1
        self.number += 10
        other = self.file.with_name(f"other-{self.others}.db")
        make(other, self.number)
        self.link.unlink()
        self.link.symlink_to(other)

    def without_log(self) -> None:
        """As on a network disk: the journal is a file that comes and goes with each change."""
        self.rest()
        with sqlite3.connect(self.real) as connection:
            connection.execute("PRAGMA journal_mode = delete")
        connection.close()


ACTIONS = ("write", "write", "rest", "replace", "make_anew", "lead_elsewhere", "without_log")


@settings(max_examples=25)
@given(st.lists(st.sampled_from(ACTIONS), max_size=7))
def test_what_happens_to_the_file_is_seen_by_readers_who_stay(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    place = Folder(tmp_path_factory.mktemp("folder"))
    with ExitStack() as stack:
        stack.callback(place.rest)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        watcher = stack.enter_context(open_to_read(str(place.link)))
        with patch.context() as forbidding:
            forbidding.setattr(sqlite_file.os, "access", _no_writing)
            guest = stack.enter_context(open_to_read(str(place.link)))
        for action in actions:
            getattr(place, action)()
            assert planned(watcher) == place.number
            with patch.context() as forbidding:
                forbidding.setattr(sqlite_file.os, "access", _no_writing)
                assert planned(guest) == place.number


REFUSED = """
import sys
from search.store import open_to_read
from space.errors import InputError
try:
    open_to_read(sys.argv[1])
except InputError as error:
    print(error, flush=True)
input()
"""
JOURNAL_WRITER = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("PRAGMA cache_size = 1")
store.execute("BEGIN IMMEDIATE")
store.execute("UPDATE studies SET planned_trials = 666")
store.execute("CREATE TABLE filler (x)")
for _ in range(50):  # more than the cache holds, so that pages reach the file before the commit
    store.execute("INSERT INTO filler VALUES (zeroblob(5000))")
print("written", flush=True)
input()
store.execute("ROLLBACK")
print("taken back", flush=True)
input()
"""


@pytest.mark.parametrize("may_add", [False, True])
def test_what_a_rollback_journal_may_take_back_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may_add: bool
) -> None:
    path = tmp_path / "s.db"
    make(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    connection.close()
    monkeypatch.setattr(
        sqlite_file.os,
        "access",
        lambda of, mode: mode != os.W_OK or (may_add and Path(of) != path),
    )
    command = [sys.executable, "-c", JOURNAL_WRITER, str(path)]
    with open_to_read(str(path), busy_timeout=0.1) as guest:
        assert planned(guest) == 1  # before anybody writes
        writer = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        with ended(writer):
            assert first_line(writer) == "written"
            with pytest.raises(StoreError, match="locked"):
                planned(guest)
            assert ask(writer, "") == "taken back"
            assert planned(guest) == 1


def test_a_journal_left_behind_is_named_to_who_may_not_play_it_back(tmp_path: Path) -> None:
    path = tmp_path / "s" / "s.db"
    path.parent.mkdir()
    make(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    connection.close()
    command = [sys.executable, "-c", JOURNAL_WRITER, str(path)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with ended(writer):
        assert first_line(writer) == "written"
    give_away(path.parent, path)
    with ended(python_without_rights(REFUSED, str(path))) as reader:
        assert "s.db-journal beside it" in first_line(reader)


def _no_writing(path: object, mode: int) -> bool:
    return mode != os.W_OK


def test_what_changed_during_a_read_without_locks_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    make(path)
    monkeypatch.setattr(sqlite_file.os, "access", _no_writing)
    seen: list[int] = []
    with open_to_read(str(path)) as guest:

        def work(session: object) -> int:
            value = session.scalar(text("SELECT planned_trials FROM studies"))  # type: ignore[attr-defined]
            if not seen:
                with sqlite3.connect(path) as other:
                    other.execute("UPDATE studies SET planned_trials = 5")
                other.close()
            seen.append(value)
            return int(value)

        assert guest.read(work) == 5
    assert seen == [1, 5]


@pytest.mark.parametrize("replaced", [False, True])
def test_a_writer_whose_file_is_gone_or_replaced_fails(tmp_path: Path, replaced: bool) -> None:
    path, copy = tmp_path / "s.db", tmp_path / "copy.db"
    make(path)
    shutil.copy(path, copy)
    with open_store(str(path), create=False) as store:
        plan(store, 2)
        path.unlink()
        if replaced:
            shutil.copy(copy, path)
        for use in (lambda: plan(store, 3), store.studies.summaries):
            with pytest.raises(StoreError, match="removed or replaced"):
                use()
    assert path.exists() == replaced, "a file was made in its place"


def test_a_reader_of_a_file_that_went_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    make(path)
    with open_to_read(str(path)) as store:
        path.rename(tmp_path / "aside.db")
        with pytest.raises(StoreError, match="unable to open"):
            store.studies.summaries()
        assert not path.exists()
        (tmp_path / "aside.db").rename(path)
        assert planned(store) == 1


def test_a_reader_can_write_nothing(store: Store, store_url: str) -> None:
    study = add_study(store, NAME)
    with open_to_read(store_url) as looking:
        assert looking.studies.exists(NAME)
        with pytest.raises(StoreError, match=r"read.?only"):
            looking.studies.set_planned_trials(study.id, 99)
        with pytest.raises(StoreError, match=r"read.?only"):
            add_study(looking, "another")
    assert [each.name for each in store.studies.summaries()] == [NAME]


def test_a_file_with_two_names_is_refused_by_both(tmp_path: Path) -> None:
    path, second = tmp_path / "s.db", tmp_path / "second.db"
    make(path)
    second.hardlink_to(path)
    for name in (path, second):
        for opening in (open_to_read, lambda url: open_store(url, create=True)):
            with pytest.raises(InputError, match="2 names"):
                opening(str(name))
    second.unlink()
    open_to_read(str(path)).close()


LAST_TO_LEAVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(*connection.execute("SELECT planned_trials FROM studies").fetchone())
connection.close()
"""


@pytest.mark.parametrize("opening", [open_to_read, lambda url: open_store(url, create=False)])
def test_opening_a_store_twice_in_a_process_keeps_what_the_first_writes(
    tmp_path: Path, opening: Callable[[str], Store]
) -> None:
    """Closing a plain file ends all locks of the process; another then takes the log away."""
    path = tmp_path / "s.db"
    make(path)

    def seen_by_another() -> str:
        command = [sys.executable, "-c", LAST_TO_LEAVE, str(path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with open_store(str(path), create=False) as store:
        plan(store, 2)
        opening(str(path)).close()
        assert seen_by_another() == "2"
        plan(store, 3)
        assert seen_by_another() == "3"
