"""The accuracy of each trial as it ended, few enough to draw, and the best so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Connection, case, func, literal, null, or_, select, union_all

from search.query.protocols import refuse_several_protocols
from search.query.where import Where, joined, joined_for, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
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
        states: how many trials of the filter are in each state, as readers see them; every state
            is a key.
    """

    points: list[EndedTrial]
    records: list[EndedTrial]
    total: int
    states: Mapping[TrialState, int]


def accuracy_over_time(
    store: Store, *, where: Where | str | None = None, study: str | None = None, points: int
) -> AccuracyOverTime:
    """The complete and pruned trials of a filter with an accuracy, by when they ended.

    The database thins them: of every so many it gives one, and all records. What the filter says
    is asked of each trial once, for them and for the counts.

    Args:
        store: where to look.
        where: only trials that fulfil this clause.
        study: only trials of this study.
        points: how many at most.

    Raises:
        InputError: a malformed where-clause, or trials of several protocols.
    """
    stale = store.runs.stale()
    conditions = matching(where, study, stale)
    ended = (TrialRow.accuracy.is_not(None), TrialRow.ended.is_not(None))
    judged = [*conditions, *ended, TrialRow.state.in_(EVALUATED)]
    refuse_several_protocols(store, judged, where=where, study=study)
    state = effective(TrialRow.state, stale).label("state")
    trials = joined_for(conditions, TrialRow.id, state, TrialRow.accuracy, TrialRow.ended)
    statement = _statement(trials.cte("matching"), points)

    def read(connection: Connection) -> AccuracyOverTime:
        rows: Any = connection.execute(statement).all()
        chosen = [row for row in rows if row.id is not None]
        total = sum(row.total for row in rows if row.state in EVALUATED and row.id is None)
        states = {TrialState(row.state): row.number for row in rows if row.id is None}
        found = _ended(connection, [row.id for row in chosen])
        return AccuracyOverTime(
            [found[row.id] for row in chosen if row.is_point],
            [found[row.id] for row in chosen if row.is_record],
            total,
            dict.fromkeys(TrialState, 0) | states,
        )

    return store.read(read)


def _statement(trials: CTE, points: int) -> Any:
    """A row with the numbers of each state, and one for each trial that is drawn, in order."""
    is_ended = trials.c.accuracy.is_not(None) & trials.c.ended.is_not(None)
    counts = select(
        null().label("place"),
        null().label("id"),
        trials.c.state,
        func.count().label("number"),
        func.sum(case((is_ended, 1), else_=0)).label("total"),
        literal(0).label("is_point"),
        literal(0).label("is_record"),
    ).group_by(trials.c.state)
    order = (trials.c.ended, trials.c.id)
    complete = case((trials.c.state == TrialState.COMPLETE, trials.c.accuracy))
    seen = (
        select(
            trials.c.id,
            trials.c.state,
            complete.label("height"),
            (func.row_number().over(order_by=order) - 1).label("place"),
            func.max(complete).over(order_by=order, rows=(None, -1)).label("before"),
        )
        .where(is_ended, trials.c.state.in_(EVALUATED))
        .subquery()
    )
    total = select(func.count()).where(is_ended, trials.c.state.in_(EVALUATED)).scalar_subquery()
    # Of n trials number i is one of m points where some k * n // m is i, for k below m.
    least = (seen.c.place * points + total - 1) // total
    is_point = or_(total <= points, least * total < (seen.c.place + 1) * points)
    is_record = seen.c.height.is_not(None) & or_(
        seen.c.before.is_(None), seen.c.height > seen.c.before
    )
    drawn = select(
        seen.c.place,
        seen.c.id,
        seen.c.state,
        literal(1).label("number"),
        literal(0).label("total"),
        case((is_point, 1), else_=0).label("is_point"),
        case((is_record, 1), else_=0).label("is_record"),
    ).where(is_point | is_record)
    return union_all(counts, drawn).order_by("place")


_TOGETHER = 5_000
"""Ids in one statement."""


def _ended(connection: Connection, ids: Sequence[int]) -> dict[int, EndedTrial]:
    """The trials by their ids."""
    columns = columns_of(EndedTrial, TrialRow, ArchitectureRow, StudyRow)
    found: dict[int, EndedTrial] = {}
    for start in range(0, len(ids), _TOGETHER):
        some = TrialRow.id.in_(ids[start : start + _TOGETHER])
        for id_, *values in connection.execute(joined(TrialRow.id, *columns).where(some)):
            found[id_] = EndedTrial(*values)
    return found
