"""The ways to a store: `open_store` to work with it, `open_to_read` to look at it."""

import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError

from search.store.database import (
    WRITE_PAUSES,
    Database,
    StoreError,
    describe,
    has_lost_connection,
    make_engine,
    repeated,
)
from search.store.read_only import reader
from search.store.schema import NoStore, OlderStore, check_current, upgrade
from search.store.sqlite_file import is_on_network, may_write, real_path
from search.store.store import Store
from search.store.url import WHERE, display, is_sqlite, parse_url, sqlite_path
from space.errors import InputError
from space.input.paths import LONGEST_NAME
from space.surface import surface

_BUSY_SECONDS = 10.0
_BESIDE = len("-journal")
_LONGEST_PATH = 512 - _BESIDE
"""Bytes that SQLite takes on Unix, its longest name beside the file included."""


def open_store(
    url: str | os.PathLike[str], *, create: bool, busy_timeout: float = _BUSY_SECONDS
) -> Store:
    """The store at `url`, its schema brought up to date.

    Args:
        url: a file ("mixspace.db"), "sqlite:///FILE" or "postgresql://USER@HOST/DATABASE".
        create: whether to make the store when there is none. False never writes to a place that
            holds no store, and reads an SQLite file that cannot be written as it is.
        busy_timeout: seconds to wait for another process's lock on an SQLite file.

    Raises:
        InputError: where="store". An unknown scheme, a missing folder, no store there, a file
            that is no database, a database of another program or of a newer mixspace, a server
            that does not answer within some seconds or refuses. No message holds the password.
    """
    parsed = parse_url(url)
    if is_sqlite(parsed):
        path = _checked_file(parsed, create)
        if not create and not may_write(path):
            return _opened_to_read(parsed, busy_timeout)
    engine = make_engine(parsed, busy_timeout)
    try:
        # Again where the server answered, and then the connection was lost.
        repeated(
            lambda: upgrade(engine, create=create, shown=display(parsed)),
            has_lost_connection,
            WRITE_PAUSES,
        )
        if is_sqlite(parsed):
            _choose_journal(engine, parsed, busy_timeout)
    except DBAPIError as error:
        engine.dispose()
        raise InputError.of(WHERE, _why(error, parsed)) from None
    except BaseException:
        engine.dispose()
        raise
    return Store(Database(parsed, engine))


def open_to_read(url: str, *, busy_timeout: float = _BUSY_SECONDS) -> Store:
    """The store at `url` for looking alone: nothing is written, not even a newer schema.

    A file that was replaced, or is led to by a link that now leads elsewhere, is read as it is at
    each transaction, so the store may be kept open for long.

    Args:
        url: as for `open_store`.
        busy_timeout: seconds to wait for another process's lock on an SQLite file.

    Raises:
        InputError: as for `open_store`; and an older schema on a server, with what to do.
    """
    parsed = parse_url(url)
    if is_sqlite(parsed):
        _checked_file(parsed, create=False)
    return _opened_to_read(parsed, busy_timeout)


def open_to_look_up(url: str) -> Store:
    """The store at `url` for finding a study before it is clear that work goes on with it.

    Nothing is written but where an older schema leaves no other way to read.

    Args:
        url: as for `open_store`.

    Raises:
        InputError: as for `open_store`.
    """
    try:
        return open_to_read(url)
    except OlderStore:
        return open_store(url, create=False)


def _opened_to_read(url: URL, busy_timeout: float) -> Store:
    store = Store(reader(url, busy_timeout))
    try:
        store.read(lambda connection: check_current(connection, store.url))
    except StoreError as error:
        store.close()
        words = str(error).removeprefix(f"the store {store.url} failed: ")
        raise InputError.of(WHERE, _why_unread(words, url)) from None
    except BaseException:
        store.close()
        raise
    return store


def _checked_file(url: URL, create: bool) -> Path:
    """The SQLite file, links followed, which may hold a store or where one may be made."""
    shown = sqlite_path(url)
    try:
        path = real_path(shown)
        _refuse_too_long(path)
        if path.is_dir():
            raise InputError.of(WHERE, f"{shown} is a folder; a store is a file in it")
        if not path.parent.is_dir():
            raise InputError.of(WHERE, f"the folder {path.parent} does not exist")
        size, names = _size_and_names(path)
    except OSError as error:
        raise InputError.of(WHERE, f"{_short(shown)} cannot be read: {error.strerror}") from None
    if not size and not create:
        raise NoStore.of(WHERE, f"there is no store {shown}; {surface().search} makes one")
    if names and not os.access(path, os.R_OK):
        raise InputError.of(WHERE, f"{shown} cannot be read: its permissions forbid it")
    if names > 1:
        raise InputError.of(
            WHERE,
            f"{shown} has {names} names (hard links), and SQLite's log lies beside one of them "
            "only; make a symbolic link instead, or a copy of its own (cp)",
        )
    return path


def _refuse_too_long(path: Path) -> None:
    """Refuse what the file system takes, but not the journal beside it, nor SQLite."""
    name, whole = len(os.fsencode(path.name)), len(os.fsencode(path))
    most = LONGEST_NAME - _BESIDE
    if name > most or whole > _LONGEST_PATH:
        raise InputError.of(
            WHERE,
            f"{_short(path)} is too long for SQLite, which takes names of {most} bytes and whole "
            f"paths of {_LONGEST_PATH}; this has {name} and {whole}",
        )


def _size_and_names(path: Path) -> tuple[int, int]:
    """Bytes of a file, and how many names it has; none of a file that is not there."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_size, status.st_nlink


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) < 200 else f"{text[:100]}…{text[-40:]}"


def _choose_journal(engine: Engine, url: URL, busy_timeout: float) -> None:
    """WAL, so that readers and the writer do not wait for each other; not over a network."""
    folder = real_path(sqlite_path(url)).parent
    wanted = "delete" if is_on_network(folder) else "wal"
    deadline = time.monotonic() + busy_timeout
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        while cursor.execute("PRAGMA journal_mode").fetchone() != (wanted,):
            # SQLite does not wait by itself for the lock that this change needs.
            try:
                cursor.execute(f"PRAGMA journal_mode = {wanted}")
            except sqlite3.OperationalError as error:
                if time.monotonic() > deadline:
                    raise DBAPIError.instance(None, None, error, sqlite3.Error) from None
                time.sleep(0.05)
    finally:
        connection.close()


def _why(error: DBAPIError, url: URL) -> str:
    words = describe(error, url)
    if is_sqlite(url) and ("readonly" in words or "unable to open" in words):
        return f"{sqlite_path(url)} cannot be written ({words}); is its folder read-only?"
    return _why_unread(words, url)


def _why_unread(words: str, url: URL) -> str:
    if not is_sqlite(url):
        return f"{display(url)} does not answer or refuses: {words}"
    if "not a database" in words:
        return f"{sqlite_path(url)} is not an SQLite database, or a damaged one"
    if "locked" in words:
        return f"{sqlite_path(url)} is locked by another process ({words})"
    return f"{sqlite_path(url)} cannot be used: {words}"
