"""`open_store`: the one way to a store."""

import sqlite3
import time

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError

from search.store.connection import describe
from search.store.engine import make_engine
from search.store.missing import NoStore
from search.store.network_folder import is_on_network
from search.store.read_only import can_only_be_read, reading_url
from search.store.schema import upgrade
from search.store.store import Store
from search.store.url import WHERE, display, is_sqlite, parse_url, sqlite_path
from space.errors import InputError

_SQLITE_MAGIC = b"SQLite format 3\0"
_BUSY_SECONDS = 10.0


def open_store(url: str, *, create: bool, busy_timeout: float = _BUSY_SECONDS) -> Store:
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
        _check_file(parsed, create)
    only_read = is_sqlite(parsed) and not create and can_only_be_read(sqlite_path(parsed))
    engine = make_engine(reading_url(parsed) if only_read else parsed, busy_timeout)
    try:
        upgrade(engine, create=create, shown=display(parsed))
        if is_sqlite(parsed) and not only_read:
            _choose_journal(engine, parsed, busy_timeout)
    except DBAPIError as error:
        engine.dispose()
        raise InputError.of(WHERE, _why(error, parsed, only_read)) from None
    except BaseException:
        engine.dispose()
        raise
    return Store(parsed, engine)


def _check_file(url: URL, create: bool) -> None:
    path = sqlite_path(url)
    if path.is_dir():
        raise InputError.of(WHERE, f"{path} is a folder; a store is a file in it")
    if not path.parent.is_dir():
        raise InputError.of(WHERE, f"the folder {path.parent} does not exist")
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE_MAGIC))
    except FileNotFoundError:
        head = b""
    except OSError as error:
        raise InputError.of(WHERE, f"{path} cannot be read: {error.strerror}") from None
    if head not in (b"", _SQLITE_MAGIC):
        raise InputError.of(WHERE, f"{path} is not an SQLite database")
    if not head and not create:
        raise NoStore.of(WHERE, f"there is no store {path}; `mixspace run CONFIG` makes one")


def _choose_journal(engine: Engine, url: URL, busy_timeout: float) -> None:
    """WAL, so that readers and the writer do not wait for each other; not over a network."""
    wanted = "delete" if is_on_network(sqlite_path(url).parent) else "wal"
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


def _why(error: DBAPIError, url: URL, only_read: bool) -> str:
    words = describe(error, url)
    if not is_sqlite(url):
        return f"{display(url)} does not answer or refuses: {words}"
    if "locked" in words:
        return f"{sqlite_path(url)} is locked by another process ({words})"
    if only_read:
        return (
            f"{sqlite_path(url)} cannot be read where it cannot be written ({words}); "
            f"copy it, and {sqlite_path(url).name}-wal beside it, to a folder of your own"
        )
    if "readonly" in words or "unable to open" in words:
        return f"{sqlite_path(url)} cannot be written ({words}); is its folder read-only?"
    return f"{sqlite_path(url)} cannot be used: {words}"
