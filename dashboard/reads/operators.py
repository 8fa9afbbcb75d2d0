"""The paper's operators in this store: how often each was tried, and how far it got."""

from dataclasses import dataclass

from sqlalchemy import func

from dashboard.reads.remember import remembered
from dashboard.reads.trials import joined, matching
from dashboard.view import View
from search.query import best, standings
from search.store import TrialState
from search.store.models import Architecture
from space.relation_graph import NODES

_SEPARATOR = " + "


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """What the trials of the filter say of one operator.

    Attributes:
        alone: number of trials whose architecture uses this operator throughout.
        mixed: number of trials whose architecture uses it beside others.
        best_accuracy: highest of their architectures, with the leaderboard's accuracy: over
            several trainings the mean.
        best_architecture: the id of that architecture.
        pruned: whether that accuracy is of a pruned trial, which would have gone further.
    """

    alone: int
    mixed: int
    best_accuracy: float | None
    best_architecture: str | None
    pruned: bool = False


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
    tops = _best(view)
    return {
        name: OperatorRecord(alone[name], mixed[name], *tops.get(name, (None, None)))
        for name in NODES
    }


def _counts(view: View) -> list[tuple[str, int]]:
    query = joined(Architecture.operators, func.count()).where(*matching(view))
    query = query.group_by(Architecture.operators)
    rows = view.store.read(lambda session: session.execute(query).all())
    return [(operators, trials) for operators, trials in rows]


def _best(view: View) -> dict[str, tuple[float | None, str, bool]]:
    """The best architecture of each operator alone, by the rule of the leaderboard."""
    rows = best(view.store, where=view.where or None, study=view.study, top=None)
    # What was trained to the end, and the others only where nothing was.
    apart = [[row for row in rows if row.is_complete is whole] for whole in (False, True)]
    found = {standing.name: standing.row for part in apart for standing in standings(part)}
    return {
        name: (row.accuracy, row.architecture_id, row.state is TrialState.PRUNED)
        for name, row in found.items()
    }
