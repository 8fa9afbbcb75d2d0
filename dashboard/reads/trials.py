"""Trials that match the filter, in any state, with what is known of their architectures."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, nulls_last, select

from dashboard.reads.remember import remembered
from dashboard.view import View
from search.query import parse_where
from search.store import TrialState
from search.store.models import Architecture, Study, Trial
from search.store.stale_runs import effective


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A trial with its study's name and its architecture's operators and size."""

    id: int
    number: int
    study: str
    architecture_id: str
    operators: str
    params: int
    flops: int
    state: TrialState
    reason: str | None
    origin: str
    accuracy: float | None
    last_accuracy: float | None
    epochs_done: int
    seconds: float
    started: datetime | None
    ended: datetime | None


_ELSEWHERE: dict[str, Any] = {
    "study": Study.name,
    "operators": Architecture.operators,
    "params": Architecture.params,
    "flops": Architecture.macs,
}
_NAMES = [field.name for field in fields(TrialRow)]
_COLUMNS = [_ELSEWHERE[name] if name in _ELSEWHERE else getattr(Trial, name) for name in _NAMES]
_STATE = _NAMES.index("state")
_INCOMPLETE = case((Trial.state == TrialState.COMPLETE, 0), else_=1)
ORDERS: dict[str, tuple[Any, ...]] = {
    "newest": (Trial.id.desc(),),
    "ended": (nulls_last(Trial.ended.desc()), Trial.id.desc()),
    "best": (_INCOMPLETE, nulls_last(Trial.accuracy.desc()), Trial.id),
}
"""The best are complete trials; the others come behind all of them, as they compare with none."""


def seen_by(view: View, expression: Any) -> Any:
    """A column of trials, or a condition on them, in which nothing runs whose process is gone."""
    return effective(expression, remembered(view, "gone", (), view.store.runs.stale))


def matching(view: View) -> list[ColumnElement[bool]]:
    """The filter as conditions on trials joined with architectures and studies."""
    conditions = [seen_by(view, parse_where(view.where).clause())] if view.where else []
    if view.study is not None:
        conditions.append(Study.name == view.study)
    return conditions


def joined(*columns: Any) -> Select[Any]:
    """A query of trials joined with their architectures and studies."""
    return (
        select(*columns)
        .select_from(Trial)
        .join(Architecture, Architecture.id == Trial.architecture_id)
        .join(Study, Study.id == Trial.study_id)
    )


def trial_rows(
    view: View, *, states: Collection[TrialState] | None, order: str, limit: int
) -> list[TrialRow]:
    """Trials of the filter.

    Args:
        view: the store and the filter.
        states: only trials in these; None is all.
        order: one of ORDERS.
        limit: how many at most.
    """
    wanted = None if states is None else tuple(sorted(states))
    query = joined(*(seen_by(view, column) for column in _COLUMNS)).where(*matching(view))
    if wanted is not None:
        query = query.where(seen_by(view, Trial.state).in_(wanted))
    query = query.order_by(*ORDERS[order]).limit(limit)
    arguments = (view.study, view.where, wanted, order, limit)
    return remembered(view, "trials", arguments, lambda: _rows(view, query))


def _rows(view: View, query: Select[Any]) -> list[TrialRow]:
    return view.store.read(lambda session: [_row(row) for row in session.execute(query)])


def _row(row: Any) -> TrialRow:
    values = list(row)
    values[_STATE] = TrialState(values[_STATE])
    return TrialRow(*values)


def state_counts(view: View) -> dict[TrialState, int]:
    """How many trials of the filter are in each state."""
    state = seen_by(view, Trial.state)
    query = joined(state, func.count()).where(*matching(view)).group_by(state)

    def read() -> dict[TrialState, int]:
        found = view.store.read(lambda session: session.execute(query).all())
        return dict.fromkeys(TrialState, 0) | {TrialState(state): n for state, n in found}

    return remembered(view, "counts", (view.study, view.where), read)
