"""PostgreSQL's dialect, equal where it would compile alike: see `search.store.dialects`.

Apart, as no command on an SQLite file shall wait for it to be read.
"""

from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg


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
