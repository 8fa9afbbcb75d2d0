"""The paper's operators in this store: how often each was tried, and how far it got."""

from dataclasses import dataclass

from sqlalchemy import func, nulls_last

from dashboard.reads.remember import remembered
from dashboard.reads.trials import joined, matching
from dashboard.view import View
from search.store import TrialState
from search.store.models import Architecture, Trial
from space.relation_graph import NODES

_SEPARATOR = " + "


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """What the trials of the filter say of one operator.

    Attributes:
        alone: number of trials whose architecture uses this operator throughout.
        mixed: number of trials whose architecture uses it beside others.
        best_accuracy: highest of the complete and pruned ones among `alone`.
        best_architecture: its id.
    """

    alone: int
    mixed: int
    best_accuracy: float | None
    best_architecture: str | None


def operator_records(view: View) -> dict[str, OperatorRecord]:
    """The record of each of the paper's operators, by name."""
    return remembered(view, "operators", (view.study, view.where), lambda: _records(view))


def _records(view: View) -> dict[str, OperatorRecord]:
    alone, mixed = dict.fromkeys(NODES, 0), dict.fromkeys(NODES, 0)
    for operators, trials in _counts(view):
        names = operators.split(_SEPARATOR)
        counts = alone if len(names) == 1 else mixed
        for name in (name for name in names if name in counts):
            counts[name] += trials
    best = _best(view)
    return {
        name: OperatorRecord(alone[name], mixed[name], *best.get(name, (None, None)))
        for name in NODES
    }


def _counts(view: View) -> list[tuple[str, int]]:
    query = joined(Architecture.operators, func.count()).where(*matching(view))
    query = query.group_by(Architecture.operators)
    rows = view.store.read(lambda session: session.execute(query).all())
    return [(operators, trials) for operators, trials in rows]


def _best(view: View) -> dict[str, tuple[float, str]]:
    """The most accurate architecture of each operator alone; the cheapest of equals."""
    place = func.row_number().over(
        partition_by=Architecture.operators,
        order_by=(nulls_last(Trial.best_accuracy.desc()), Architecture.params, Trial.id),
    )
    ended = Trial.state.in_((TrialState.COMPLETE, TrialState.PRUNED))
    ranked = (
        joined(
            Architecture.operators.label("name"),
            Trial.best_accuracy.label("accuracy"),
            Trial.architecture_id.label("architecture"),
            place.label("place"),
        )
        .where(*matching(view), ended, Trial.best_accuracy.is_not(None))
        .where(Architecture.operators.in_(NODES))
        .subquery()
    )
    query = ranked.select().where(ranked.c.place == 1)
    rows = view.store.read(lambda session: session.execute(query).all())
    return {row.name: (row.accuracy, row.architecture) for row in rows}
