"""INSERT … ON CONFLICT, which both databases spell alike and SQLAlchemy does per dialect."""

from typing import Any

from sqlalchemy import Table, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from search.store.models import Base


def insert_missing(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row unless one with its primary key is there; whether it did."""
    table = _table(model)
    statement = _insert(session, table).values(values).on_conflict_do_nothing()
    inserted = session.execute(statement.returning(*table.primary_key.columns))
    return inserted.one_or_none() is not None


def upsert(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row, or gives the one with its primary key these values; whether it is new."""
    if insert_missing(session, model, values):
        return True
    table = _table(model)
    keys = [column == values[column.name] for column in table.primary_key.columns]
    session.execute(update(table).where(*keys).values(values))
    return False


def _table(model: type[Base]) -> Table:
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


def _insert(session: Session, table: Table) -> postgresql.Insert | sqlite.Insert:
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)
