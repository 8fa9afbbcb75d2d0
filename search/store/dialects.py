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
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
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


class SharingPostgresql(PGDialect_psycopg):
    """Servers of one version and one way to write texts."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._told() == self._told()

    def __hash__(self) -> int:
        return hash(type(self))

    def _told(self) -> tuple[Any, ...]:
        """What a connection has told, by which statements are compiled."""
        return (
            getattr(self, "server_version_info", None),
            getattr(self, "default_schema_name", None),
            self._backslash_escapes,
        )


registry.register("sqlite.mixspace", __name__, SharingSqlite.__name__)
registry.register("postgresql.mixspace", __name__, SharingPostgresql.__name__)


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
