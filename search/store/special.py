"""Counts of the trials that did not simply train from scratch, once, in one go."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from search.store.models import SPECIAL, Study, Trial


def _count(name: str, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    # With the condition of the index, so that it is used: such trials are few.
    mine = (Trial.study_id == Study.id, SPECIAL, condition)
    return select(func.count()).select_from(Trial).where(*mine).scalar_subquery().label(name)


SPECIAL_COUNTS = [
    _count("reused", Trial.source_trial_id.is_not(None)),
    _count("inherited", Trial.parent_trial_id.is_not(None)),
    _count("continued", Trial.continued > 0),
    _count("repeated", Trial.repeat > 0),
]
"""Columns of a query of studies, named as in `StudySummary`."""
