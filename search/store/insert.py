"""INSERT … ON CONFLICT, which both databases spell alike and SQLAlchemy does per dialect."""

from functools import cache
from typing import Any

from sqlalchemy import Table, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from search.store.models import Base


def insert_missing(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row unless one with its primary key is there; whether it did."""
    statement = _insert_missing(model, session.get_bind().dialect.name)
    return session.execute(statement, values).one_or_none() is not None


def upsert(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row, or gives the one with its primary key these values; whether it is new."""
    if insert_missing(session, model, values):
        return True
    table = table_of(model)
    keys = [column == values[column.name] for column in table.primary_key.columns]
    session.execute(update(table).where(*keys).values(values))
    return False


def table_of(model: type[Base]) -> Table:
    """The table of a model: statements on it skip the work that the mapper does."""
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


@cache
def _insert_missing(model: type[Base], dialect: str) -> ReturningInsert[Any]:
    table = table_of(model)
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return kind(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
