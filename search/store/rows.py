"""Between rows and records: the columns of a record, and INSERT … ON CONFLICT."""

from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Row, Table, inspect, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from search.store.models import Base, MetricRow, RunRow, StudyRow, TestReadingRow, TrialRow
from search.store.records import EpochRecord, RunRecord, StudyRecord, TestReading, TrialRecord
from search.trial_states import TrialState

_TRIAL_STATE = [field.name for field in fields(TrialRecord)].index("state")


def columns_of(record: type, model: type) -> list[Any]:
    """The model's columns in the order of the record's fields."""
    return [getattr(model, field.name) for field in fields(record)]


# Columns are selected rather than entities: at 100,000 trials the identity map costs seconds.
STUDY_COLUMNS = columns_of(StudyRecord, StudyRow)
RUN_COLUMNS = columns_of(RunRecord, RunRow)
TRIAL_COLUMNS = columns_of(TrialRecord, TrialRow)
EPOCH_COLUMNS = columns_of(EpochRecord, MetricRow)
READING_COLUMNS = columns_of(TestReading, TestReadingRow)


def trial_record(row: Row[Any]) -> TrialRecord:
    """The record of a row of TRIAL_COLUMNS."""
    values = list(row)
    values[_TRIAL_STATE] = TrialState(values[_TRIAL_STATE])
    return TrialRecord(*values)


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
