"""Between rows and records: the columns of a record, and INSERT … ON CONFLICT."""

from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from search.store.models import Base, EventRow, MetricRow, RunRow, StudyRow, TrialRow
from search.store.records import EpochRecord, EventRecord, RunRecord, StudyRecord, TrialRecord

Record = TypeVar("Record")


def columns_of(record: type, *models: type[Base], **others: Any) -> list[Any]:
    """A column for each field of the record, in their order and of their names.

    Args:
        record: a dataclass.
        models: a field is the column of its name in the first of them that has it.
        others: columns and expressions of the fields that go by another name.
    """
    tables = [table_of(model) for model in models]
    found = {name: column for table in reversed(tables) for name, column in table.c.items()}
    found |= {name: expression.label(name) for name, expression in others.items()}
    return [found[field.name] for field in fields(record)]


def table_of(model: type[Base]) -> Table:
    """The table of a model: statements on it skip the work that the mapper does."""
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


# Columns are selected rather than entities: at 100,000 trials the identity map costs seconds.
STUDY_COLUMNS = columns_of(StudyRecord, StudyRow)
STUDIES = select(*STUDY_COLUMNS)
RUN_COLUMNS = columns_of(RunRecord, RunRow)
RUNS = select(*RUN_COLUMNS)
TRIAL_COLUMNS = columns_of(TrialRecord, TrialRow)
TRIALS = select(*TRIAL_COLUMNS)
EPOCH_COLUMNS = columns_of(EpochRecord, MetricRow)
EVENTS = select(*columns_of(EventRecord, EventRow))


def one(
    connection: Connection, record: type[Record], query: Executable, values: Any = None
) -> Record | None:
    """The record of the only row of a query on its columns; None where there is no row."""
    row = connection.execute(query, values).one_or_none()
    return None if row is None else record(*row)


def insert_missing(connection: Connection, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row unless one with its primary key is there; whether it did."""
    statement = _insert_missing(model, connection.dialect.name)
    return connection.execute(statement, values).one_or_none() is not None


def upsert(connection: Connection, model: type[Base], values: dict[str, Any]) -> bool:
    """Inserts a row, or gives the one with its primary key these values; whether it is new."""
    if insert_missing(connection, model, values):
        return True
    table = table_of(model)
    keys = [column == values[column.name] for column in table.primary_key.columns]
    connection.execute(update(table).where(*keys).values(values))
    return False


@cache
def _insert_missing(model: type[Base], dialect: str) -> ReturningInsert[Any]:
    table = table_of(model)
    kind = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return kind(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
