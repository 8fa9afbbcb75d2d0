"""Stores that are only read: each transaction on the file that is there then, never a stale one."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection
from sqlalchemy.pool import NullPool

from search.store.database import Database, StoreError, begin_by_hand, make_engine
from search.store.dialects import engine_of
from search.store.older_file import UpgradedCopies
from search.store.schema import OlderStore, check_current
from search.store.sqlite_file import FileState, SqliteHeader
from search.store.url import is_sqlite, sqlite_path

Result = TypeVar("Result")
_PAUSES = (0.0, 0.01, 0.05, 0.2, 0.5)
"""Before a read is tried again whose file changed under it."""


def reader(url: URL, busy_timeout: float) -> Database:
    """A database that can only be read; nothing is connected yet.

    Args:
        url: as `parse_url` gives it.
        busy_timeout: seconds to wait for another process's lock on an SQLite file.
    """
    if is_sqlite(url):
        return _FileReader(url, busy_timeout)
    return Database(url, make_engine(url, busy_timeout, only_read=True))


class _FileReader(Database):
    """On a file, no connection outlives its transaction: the file may be replaced, a link may be
    led elsewhere, and a log may appear beside a file that could be read without one.
    """

    def __init__(self, url: URL, busy_timeout: float) -> None:
        self._path = sqlite_path(url)
        self._connections = _Connections(self._path, busy_timeout, SqliteHeader())
        self._copies = UpgradedCopies(url)
        engine = engine_of(
            URL.create("sqlite"), creator=self._connections.connect, poolclass=NullPool
        )
        begin_by_hand(engine, "PRAGMA query_only = ON")
        super().__init__(url, engine)

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` reads in one transaction, of one state of the file.

        `work` is repeated when the file changed meanwhile, so it must have no other effects.

        A file of an earlier schema stays as it is: a copy of it is brought up to date, and read.

        Raises:
            InputError: another file has taken its place, of another schema.
            StoreError: the database failed.
        """
        for pause in (*_PAUSES, None):
            before = self._state()
            try:
                result = self._read_once(work, before)
            except StoreError as error:
                if pause is None or self._state() == before:
                    raise _with_a_way_out(error, before) from None
            else:
                if self._connections.has_locks or self._state() == before:
                    return result
            if pause is not None:
                time.sleep(pause)
        raise StoreError(f"the store {self.url} failed: its file changes with each reading")

    def _read_once(self, work: Callable[[Connection], Result], state: FileState | None) -> Result:
        def checked(connection: Connection) -> Result:
            check_current(connection, self.url)
            return work(connection)

        try:
            return super().read(checked)
        except OlderStore as older:
            return self._copies.of(state, self._connections.connect, older).read(work)

    def close(self) -> None:
        """Gives all connections back."""
        super().close()
        self._copies.close()
        self._connections.header.close()

    def _state(self) -> FileState | None:
        try:
            return FileState.of(self._path)
        except OSError:
            return None


class _Connections(threading.local):
    """Connects to the file that is there; each thread has its own.

    A file that cannot be written is read with locks too: somebody else may be writing to it, and
    his rollback journal has what he may yet take back. Only a file that asks for a write-ahead
    log, and has nothing in one, is read without locks: SQLite would make that log, and cannot; or
    can, in a folder where its owner could not use that log afterwards. What was read so holds only
    if the file did not change.

    Attributes:
        header: of the file; all threads have the same.
        has_locks: whether the thread's last connection had them.
    """

    def __init__(self, path: Path, busy_timeout: float, header: SqliteHeader) -> None:
        self._path = path
        self._timeout = busy_timeout
        self.header = header
        self.has_locks = False

    def connect(self) -> sqlite3.Connection:
        """A connection for one transaction.

        Raises:
            sqlite3.OperationalError: the file is gone, or cannot be read.
        """
        try:
            state = FileState.of(self._path)
            may_rest = state.rests and not state.may_write
            without_locks = may_rest and self.header.asks_for_wal(state)
        except OSError as error:
            message = f"unable to open {self._path}: {error.strerror}"
            raise sqlite3.OperationalError(message) from None
        self.has_locks = not without_locks
        if state.may_write:
            return self._open(state.path, "mode=rw")
        return self._open(state.path, "mode=ro&immutable=1" if without_locks else "mode=ro")

    def _open(self, path: Path, options: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(path))}?{options}"
        return sqlite3.connect(uri, uri=True, timeout=self._timeout)


def _with_a_way_out(error: StoreError, state: FileState | None) -> StoreError:
    cannot_read = any(words in str(error) for words in ("unable to open", "readonly"))
    if state is None or state.may_write or state.rests or not cannot_read:
        return error
    ending = "-wal" if state.log and state.log[0] else "-journal"
    return StoreError(
        f"{error}; {state.path} cannot be read where it cannot be written: "
        f"copy it, and {state.path.name}{ending} beside it, to a folder of your own"
    )
