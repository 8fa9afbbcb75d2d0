"""A query as text: the SQL of the store's database, and the values that are bound into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.dialects import sqlite

from search.store.store import Store


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that can be given to the database's own driver.

    Attributes:
        dialect: "sqlite" or "postgresql".
        sql: with `:name` for each parameter on SQLite, `%(name)s` on PostgreSQL (psycopg).
        parameters: the bound values by name, as the driver takes them.
        protocol_hash: of the only protocol whose results it asks for; None where it names none.
    """

    dialect: str
    sql: str
    parameters: Mapping[str, Any]
    protocol_hash: str | None = None


def statement_of(store: Store, query: Select[Any], protocol_hash: str | None = None) -> Statement:
    """A query as its store's database gets it, but for how SQLite's parameters are marked."""
    dialect = store.read(lambda connection: connection.dialect)
    if dialect.name == "sqlite":
        dialect = sqlite.dialect(paramstyle="named")
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    kinds = {name: bound.type for name, bound in compiled.binds.items()}
    values = {
        name: _as_bound(value, kinds.get(name), dialect) for name, value in compiled.params.items()
    }
    return Statement(dialect.name, compiled.string, values, protocol_hash)


def _as_bound(value: Any, kind: Any, dialect: Dialect) -> Any:
    """What the driver gets; of the parts of a list, whose types are not told, the plain text."""
    processor = None if kind is None else kind.dialect_impl(dialect).bind_processor(dialect)
    if processor is not None:
        value = processor(value)
    return str(value) if isinstance(value, str) else value
