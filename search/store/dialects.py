"""Dialects whose statements are compiled once a process, not once an engine.

A command opens its store several times, a notebook at each question, and every time SQLAlchemy
would compile each statement anew, which takes longer than SQLite takes to answer it. It keeps what
it has compiled by the dialect, which is an object of the engine: these are equal where they would
compile alike.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from search.store.url import is_sqlite

_COMPILED: LRUCache[Any, Any] = LRUCache(1000)


class SharingSqlite(SQLiteDialect_pysqlite):
    """All files are read by the one SQLite of this process."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register("sqlite.mixspace", __name__, SharingSqlite.__name__)
# Read where a server is meant: a command on a file shall not wait for it.
registry.register("postgresql.mixspace", "search.store.server_dialect", "SharingPostgresql")


def engine_of(url: URL, execution: Mapping[str, Any] | None = None, **options: Any) -> Engine:
    """As SQLAlchemy's `create_engine`; parameters stay out of its messages.

    Args:
        url: of an SQLite file, or of a PostgreSQL server.
        execution: execution options of all its connections.
        options: as `create_engine` takes them.
    """
    kind = "sqlite" if is_sqlite(url) else "postgresql"
    return create_engine(
        url.set(drivername=f"{kind}+mixspace"),
        hide_parameters=True,
        execution_options={"compiled_cache": _COMPILED, **(execution or {})},
        **options,
    )
