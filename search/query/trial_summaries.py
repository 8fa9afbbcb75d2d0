"""Trials in any state: rows, counts, and the course of accuracy."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, nulls_last, select

from search.query.leaderboard import INCOMPLETE
from search.query.protocols import refuse_mixed, refuse_several_protocols
from search.query.where import Where, joined, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
from search.store.statements import columns_of
from search.store.store import Store
from search.trial_states import EVALUATED, TrialState

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
    if states is not None:
        among = sorted(map(TrialState, states))
        conditions.append(effective(TrialRow.state, stale).in_(among))
    if order == "best" and study is None:
        refuse_several_protocols(store, conditions)
    query = joined(*(effective(column, stale) for column in _COLUMNS)).where(*conditions)
    query = query.order_by(*_ORDERS[order]).limit(limit)
    return store.read(lambda session: [TrialSummary(*row) for row in session.execute(query)])


def state_counts(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> dict[TrialState, int]:
    """How many trials are in each state, as readers see them; every state is a key.

    Raises:
        InputError: a malformed where-clause.
    """
    stale = store.runs.stale()
    state = effective(TrialRow.state, stale)
    query = joined(state, func.count()) if where else select(state, func.count()).join(StudyRow)
    query = query.where(*matching(where, study, stale)).group_by(state)
    found = store.read(lambda session: session.execute(query).all())
    return dict.fromkeys(TrialState, 0) | dict(found)


# --- over time --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndedTrial:
    """A complete or pruned trial with its accuracy, and the hash of its protocol."""

    ended: datetime
    accuracy: float
    state: TrialState
    number: int
    architecture_id: str
    operators: str
    protocol_hash: str


def ended_trials(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> list[EndedTrial]:
    """The complete and pruned trials with an accuracy, in the order in which they ended.

    Raises:
        InputError: a malformed where-clause.
    """
    query = (
        joined(*columns_of(EndedTrial, TrialRow, ArchitectureRow, StudyRow))
        .where(*matching(where, study, store.runs.stale()))
        .where(
            TrialRow.accuracy.is_not(None),
            TrialRow.ended.is_not(None),
            TrialRow.state.in_(EVALUATED),
        )
        .order_by(TrialRow.ended, TrialRow.id)
    )
    return store.read(lambda session: [EndedTrial(*row) for row in session.execute(query)])


def running_best(trials: Iterable[EndedTrial]) -> list[EndedTrial]:
    """Complete ones that are better than all before them; what was pruned does not compare.

    Raises:
        InputError: trials of several protocols.
    """
    every = list(trials)
    refuse_mixed(every)
    found: list[EndedTrial] = []
    for trial in every:
        if trial.state is not TrialState.COMPLETE:
            continue
        if not found or trial.accuracy > found[-1].accuracy:
            found.append(trial)
    return found
