"""The accuracy of each trial as it ended, few enough to draw, and the best so far."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import case, func, or_

from search.query.protocols import refuse_several_protocols
from search.query.where import Where, joined, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.statements import columns_of
from search.store.store import Store
from search.trial_states import EVALUATED, TrialState


@dataclass(frozen=True, slots=True)
class EndedTrial:
    """A complete or pruned trial with its accuracy."""

    ended: datetime
    accuracy: float
    state: TrialState
    number: int
    architecture_id: str
    operators: str


@dataclass(frozen=True, slots=True)
class AccuracyOverTime:
    """Trials in the order in which they ended.

    Attributes:
        points: all of them, or an even sample of a large number.
        records: the complete ones that were better than all complete ones before; a pruned one
            compares with none.
        total: how many trials there are.
    """

    points: list[EndedTrial]
    records: list[EndedTrial]
    total: int


def accuracy_over_time(
    store: Store, *, where: Where | str | None = None, study: str | None = None, points: int
) -> AccuracyOverTime:
    """The complete and pruned trials of a filter with an accuracy, by when they ended.

    The database thins them: of every so many it gives one, and all records.

    Args:
        store: where to look.
        where: only trials that fulfil this clause.
        study: only trials of this study.
        points: how many at most.

    Raises:
        InputError: a malformed where-clause, or trials of several protocols.
    """
    conditions = [
        *matching(where, study, store.runs.stale()),
        TrialRow.accuracy.is_not(None),
        TrialRow.ended.is_not(None),
        TrialRow.state.in_(EVALUATED),
    ]
    refuse_several_protocols(store, conditions, where=where, study=study)
    order = (TrialRow.ended, TrialRow.id)
    complete = case((TrialRow.state == TrialState.COMPLETE, TrialRow.accuracy))
    seen = (
        joined(
            TrialRow.id,
            complete.label("height"),
            (func.row_number().over(order_by=order) - 1).label("place"),
            func.max(complete).over(order_by=order, rows=(None, -1)).label("before"),
            func.count().over().label("total"),
        )
        .where(*conditions)
        .subquery()
    )
    # Of n trials number i is one of m points where some k * n // m is i, for k below m.
    least = (seen.c.place * points + seen.c.total - 1) // seen.c.total
    is_point = or_(seen.c.total <= points, least * seen.c.total < (seen.c.place + 1) * points)
    is_record = or_(seen.c.before.is_(None), seen.c.height > seen.c.before)
    is_record = case((seen.c.height.is_not(None) & is_record, 1), else_=0)
    columns = columns_of(EndedTrial, TrialRow, ArchitectureRow, StudyRow)
    query = (
        joined(*columns, case((is_point, 1), else_=0), is_record, seen.c.total)
        .join(seen, seen.c.id == TrialRow.id)
        .where(is_point | (is_record == 1))
        .order_by(seen.c.place)
    )
    rows = store.read(lambda session: [tuple(row) for row in session.execute(query)])
    width = len(fields(EndedTrial))
    drawn = [EndedTrial(*row[:width]) for row in rows if row[width]]
    records = [EndedTrial(*row[:width]) for row in rows if row[width + 1]]
    return AccuracyOverTime(drawn, records, rows[0][-1] if rows else 0)
