"""Trials in any state: rows and counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, nulls_last

from search.query.best_statement import INCOMPLETE
from search.query.protocols import refuse_several_protocols
from search.query.where import Where, joined, joined_for, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
from search.store.statements import columns_of
from search.store.store import Store
from search.trial_states import TrialState

Order = Literal["newest", "ended", "best"]


@dataclass(frozen=True, slots=True)
class TrialSummary:
    """A trial with its study's name and its architecture's operators and size."""

    id: int
    number: int
    study: str
    architecture_id: str
    operators: str
    params: int
    macs: int
    state: TrialState
    reason: str | None
    origin: str
    accuracy: float | None
    last_accuracy: float | None
    epochs_done: int
    seconds: float
    started: datetime | None
    ended: datetime | None


_COLUMNS = columns_of(TrialSummary, TrialRow, ArchitectureRow, study=StudyRow.name)
_ORDERS: dict[Order, tuple[Any, ...]] = {
    "newest": (TrialRow.id.desc(),),
    "ended": (nulls_last(TrialRow.ended.desc()), TrialRow.id.desc()),
    "best": (INCOMPLETE, nulls_last(TrialRow.accuracy.desc()), TrialRow.id),
}
_COMPLETE = TrialState.COMPLETE
# As they all are, an index gives them in order.
_BEST_OF_COMPLETE = _ORDERS["best"][1:]


def trial_summaries(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    states: Collection[TrialState] | None = None,
    order: Order = "newest",
    limit: int | None = None,
) -> list[TrialSummary]:
    """Trials as readers see them: those that a stale run left open are preempted.

    Args:
        store: where to look.
        where: only trials that fulfil this clause.
        study: only trials of this study.
        states: only trials in these; None is all.
        order: "newest" first, the last "ended" first, or the "best" first: complete trials by
            their accuracy, and behind all of them the others, as they compare with none.
        limit: how many at most; None is all.

    Raises:
        InputError: a malformed where-clause, or the best of several protocols.
        ValueError: what is no state of a trial.
    """
    stale = store.runs.stale()
    conditions = matching(where, study, stale)
    among = None if states is None else sorted(map(TrialState, states))
    if among is not None:
        conditions.append(effective(TrialRow.state, stale).in_(among))
    if order == "best":
        refuse_several_protocols(store, conditions, where=where, study=study)
    query = joined(*(effective(column, stale) for column in _COLUMNS)).where(*conditions)
    ordered = _BEST_OF_COMPLETE if order == "best" and among == [_COMPLETE] else _ORDERS[order]
    query = query.order_by(*ordered).limit(limit)
    return store.read(lambda connection: [TrialSummary(*row) for row in connection.execute(query)])


def state_counts(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> dict[TrialState, int]:
    """How many trials are in each state, as readers see them; every state is a key.

    Raises:
        InputError: a malformed where-clause.
    """
    stale = store.runs.stale()
    state = effective(TrialRow.state, stale)
    query = joined_for(matching(where, study, stale), state, func.count()).group_by(state)
    found = store.read(lambda connection: connection.execute(query).all())
    return dict.fromkeys(TrialState, 0) | dict(found)
