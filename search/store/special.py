"""Counts of the trials that did not simply train from scratch, once, in one go."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from search.store.models import SPECIAL, Trial


class SpecialCounts(NamedTuple):
    """Numbers of trials, as `StudySummary` names them."""

    reused: int = 0
    inherited: int = 0
    continued: int = 0
    repeated: int = 0


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "reused": Trial.source_trial_id.is_not(None),
    "inherited": Trial.parent_trial_id.is_not(None),
    "continued": Trial.continued > 0,
    "repeated": Trial.repeat > 0,
}


def special_counts(session: Session, study_id: int | None) -> dict[int, SpecialCounts]:
    """By study, how many trials were reused, inherited, continued and repeated.

    Args:
        session: to read in.
        study_id: only of this study; None is all. A study without any such trial is left out.
    """
    counts: list[Any] = [func.count().filter(_CONDITIONS[name]) for name in SpecialCounts._fields]
    # The condition of the index, so that it is used: such trials are few.
    query = select(Trial.study_id, *counts).where(SPECIAL).group_by(Trial.study_id)
    if study_id is not None:
        query = query.where(Trial.study_id == study_id)
    return {id_: SpecialCounts(*counts) for id_, *counts in session.execute(query)}
