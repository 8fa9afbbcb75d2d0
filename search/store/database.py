"""The database: engines that many processes can share, and one transaction per call.

Rows are read and written by statements on tables; SQLAlchemy's sessions, which keep objects in step
with rows, would cost as much again as the statements.

A transaction is made again when the database went away; errors tell no passwords.
"""

import functools
import math
import re
import sqlite3
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, event, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from search.store.dialects import engine_of
from search.store.models import utc_now
from search.store.sqlite_file import Identity, identity
from search.store.url import display, is_sqlite, scrub, sqlite_path
from space.errors import MixspaceError

Result = TypeVar("Result")
Owner = TypeVar("Owner", bound="StorePart")
Arguments = ParamSpec("Arguments")

_READ_PAUSES = (0.2,)
WRITE_PAUSES = (0.2, 1.0, 3.0)
# A server that is starting or stopping, a deadlock, two transactions in each other's way.
_PASSING = frozenset({"57P01", "57P02", "57P03", "40P01", "40001"})


class StoreError(MixspaceError, RuntimeError):
    """The database failed during the work: it went away, is locked, or its disk is full."""


class StoreAway(StoreError):
    """It may answer again by itself: a server restarts, another program holds the file's lock."""


class Database:
    """Holds the engine; safe to use from several threads, not across a fork.

    Attributes:
        url: the store's URL, passwords hidden.
        engine: what connects to it.
    """

    def __init__(self, url: URL, engine: Engine) -> None:
        self._secret_url = url
        self.engine = engine
        self._write_engine = writing(engine)
        self.url = display(url)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` reads in one transaction.

        Raises:
            StoreError: the database failed.
        """
        return self._run(self.engine, work, _READ_PAUSES)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, its changes committed together or not at all.

        `work` is repeated when the connection broke before the commit, so it must have no other
        effects. A commit of which it is not known whether it arrived is not repeated.

        Raises:
            StoreError: the database failed.
        """
        return self._run(self._write_engine, work, WRITE_PAUSES)

    def _run(
        self, engine: Engine, work: Callable[[Connection], Result], pauses: tuple[float, ...]
    ) -> Result:
        def attempt() -> Result:
            with engine.connect() as connection:
                result = work(connection)
                try:
                    connection.commit()
                except DBAPIError as error:  # not repeated: it may have arrived
                    connection.invalidate()  # its transaction may be open, with the file's lock
                    raise self._store_error(error) from None
                return result

        try:
            return repeated(attempt, _is_passing, pauses)
        except DBAPIError as error:
            raise self._store_error(error) from None

    def _store_error(self, error: DBAPIError) -> StoreError:
        kind = StoreAway if _may_come_back(error) else StoreError
        return kind(f"the store {self.url} failed: {describe(error, self._secret_url)}")


class StorePart:
    """A part of the store: each of its methods is one transaction, made by `reads` or `writes`."""

    def __init__(self, database: Database) -> None:
        self._database = database


def store_time(connection: Connection) -> datetime:
    """The time that heartbeats are compared in: the server's, as hosts' clocks differ."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    time: datetime = connection.scalars(select(func.clock_timestamp())).one()
    return time


def repeated(
    attempt: Callable[[], Result], passes: Callable[[DBAPIError], bool], pauses: tuple[float, ...]
) -> Result:
    """What an attempt gives; it is made again after each pause where its error may pass."""
    for pause in pauses:
        try:
            return attempt()
        except DBAPIError as error:
            if not passes(error):
                raise
        time.sleep(pause)
    return attempt()


def describe(error: DBAPIError, url: URL) -> str:
    """The driver's own words on one line, without passwords and without the statement."""
    return scrub(" ".join(str(error.orig).split()), url)


def has_lost_connection(error: DBAPIError) -> bool:
    """Whether a server that had answered broke off, or is about to start or stop."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _PASSING


def _is_passing(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    lost = isinstance(error, OperationalError) and hasattr(error.orig, "sqlstate") and not state
    return lost or has_lost_connection(error)


# Lost connections, resources used up, a server that only reads as long as it is no primary.
_AWAY = re.compile(r"08...|53...|58...|25006|25P03|55P03|57014|57P0.|40...|XX000")


def _may_come_back(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return _AWAY.fullmatch(state) is not None
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def reads(
    method: Callable[Concatenate[Owner, Connection, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Makes a method run in a reading transaction; callers leave the connection out."""

    @functools.wraps(method)
    def call(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return self._database.read(lambda connection: method(self, connection, *args, **kwargs))

    return call


def writes(
    method: Callable[Concatenate[Owner, Connection, Arguments], Result],
) -> Callable[Concatenate[Owner, Arguments], Result]:
    """Makes a method run in a writing transaction; callers leave the connection out."""

    @functools.wraps(method)
    def call(self: Owner, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        return self._database.write(lambda connection: method(self, connection, *args, **kwargs))

    return call


WRITE = "mixspace_write"
"""Execution option of a connection whose transaction will write."""

_CONNECT_SECONDS = 5
# A peer that vanished without a word is noticed after some 20 s rather than hours.
_POSTGRESQL: dict[str, Any] = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    "application_name": "mixspace",
}


def make_engine(url: URL, busy_timeout: float, *, only_read: bool = False) -> Engine:
    """An engine for the URL; nothing is connected yet.

    Args:
        url: as `parse_url` gives it.
        busy_timeout: seconds to wait for another process's lock on an SQLite file.
        only_read: whether the server refuses every transaction that writes.
    """
    if is_sqlite(url):
        return _sqlite_engine(url, busy_timeout)
    arguments = {key: value for key, value in _POSTGRESQL.items() if key not in url.query}
    return engine_of(
        url,
        {"postgresql_readonly": True} if only_read else {},
        pool_pre_ping=True,
        connect_args=arguments,
    )


def writing(engine: Engine) -> Engine:
    """The same engine and pool, for transactions that write."""
    return engine.execution_options(**{WRITE: True})


def begin_by_hand(engine: Engine, *pragmas: str) -> None:
    """Each connection to an SQLite file gets the pragmas, each transaction its own BEGIN."""

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN comes too late and is always deferred; ours is below.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)
        _add_logarithm(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that becomes a write fails at once however long the busy timeout is, so a
        # transaction that will write says so at its beginning.
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _add_logarithm(connection: sqlite3.Connection) -> None:
    """What an SQLite that was built without its mathematical functions lacks."""
    try:
        connection.execute("SELECT ln(1.0), floor(1.0)")
    except sqlite3.OperationalError:
        connection.create_function("ln", 1, _of_known(math.log), deterministic=True)
        connection.create_function("floor", 1, _of_known(math.floor), deterministic=True)


def _of_known(function: Callable[[float], float]) -> Callable[[float | None], float | None]:
    return lambda value: None if value is None else function(value)


def _sqlite_engine(url: URL, busy_timeout: float) -> Engine:
    engine = engine_of(url, connect_args={"timeout": busy_timeout})
    begin_by_hand(engine, "PRAGMA foreign_keys = ON", "PRAGMA synchronous = NORMAL")
    _keep_to_one_file(engine, sqlite_path(url))
    return engine


def _keep_to_one_file(engine: Engine, path: Path) -> None:
    """What is written must not go into a file that was removed, nor into another in its place."""
    first: list[Identity | None] = []

    def check() -> None:
        if first and identity(path) != first[0]:
            raise sqlite3.OperationalError(f"{path} was removed or replaced while it was open")

    @event.listens_for(engine, "do_connect")
    def _before(*_: object) -> None:
        check()  # connecting would make a new file

    @event.listens_for(engine, "checkout")
    def _taken(*_: object) -> None:
        if not first:
            first.append(identity(path))
        check()
