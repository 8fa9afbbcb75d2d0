"""From rows to records."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Row

from search.store.models import Metric, Run, Study, TestReadingRow, Trial
from search.store.records import EpochRecord, RunRecord, StudyRecord, TestReading, TrialRecord
from search.trial_states import TrialState

_TRIAL_STATE = [field.name for field in fields(TrialRecord)].index("state")


def columns_of(record: type, model: type) -> list[Any]:
    """The model's columns in the order of the record's fields."""
    return [getattr(model, field.name) for field in fields(record)]


# Columns are selected rather than entities: at 100,000 trials the identity map costs seconds.
STUDY_COLUMNS = columns_of(StudyRecord, Study)
RUN_COLUMNS = columns_of(RunRecord, Run)
TRIAL_COLUMNS = columns_of(TrialRecord, Trial)
EPOCH_COLUMNS = columns_of(EpochRecord, Metric)
READING_COLUMNS = columns_of(TestReading, TestReadingRow)


def trial_record(row: Row[Any]) -> TrialRecord:
    """The record of a row of TRIAL_COLUMNS."""
    values = list(row)
    values[_TRIAL_STATE] = TrialState(values[_TRIAL_STATE])
    return TrialRecord(*values)
