"""Engines set up so that many processes can share one store."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from search.store.sqlite_file import Identity, identity
from search.store.url import is_sqlite, sqlite_path

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
    return create_engine(
        url,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=arguments,
        execution_options={"postgresql_readonly": True} if only_read else {},
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

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that becomes a write fails at once however long the busy timeout is, so a
        # transaction that will write says so at its beginning.
        write = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _sqlite_engine(url: URL, busy_timeout: float) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout})
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
