"""INSERT … ON CONFLICT, which both databases spell alike and SQLAlchemy does per dialect."""

from typing import Any

from sqlalchemy import Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from search.store.models import Base


def insert_missing(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row unless one with its primary key is there; whether it did."""
    table = _table(model)
    statement = _insert(session, table).values(values).on_conflict_do_nothing()
    inserted = session.execute(statement.returning(*table.primary_key.columns))
    return inserted.one_or_none() is not None


def upsert(session: Session, model: type[Base], values: dict[str, Any]) -> None:
    """Inserts a row, or gives the one with its primary key these values."""
    table = _table(model)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: value for name, value in values.items() if name not in keys}
    statement = _insert(session, table).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))


def _table(model: type[Base]) -> Table:
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


def _insert(session: Session, table: Table) -> postgresql.Insert | sqlite.Insert:
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(table) if on_postgresql else sqlite.insert(table)
