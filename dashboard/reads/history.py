"""How accuracy grew over time, and when the running studies will be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from dashboard.reads.remember import remembered
from dashboard.reads.sample import thinned
from dashboard.reads.trials import joined, matching
from dashboard.view import View
from search.store import RunRecord, Store, StudySummary, TrialState
from search.store.models import Architecture, Trial

MAX_POINTS = 3000
_ENOUGH = 3
"""Ended trials from which on a pace is worth showing."""


@dataclass(frozen=True, slots=True)
class Point:
    """A trial that ended with an accuracy."""

    ended: datetime
    accuracy: float
    state: TrialState
    number: int
    architecture_id: str
    operators: str


@dataclass(frozen=True, slots=True)
class History:
    """Trials in the order in which they ended.

    Attributes:
        points: all of them, or an even sample of a large number.
        records: those that were better than all before, whole.
        total: how many there are.
    """

    points: list[Point]
    records: list[Point]
    total: int


def history(view: View) -> History:
    """The complete and pruned trials of the filter in the order in which they ended."""
    return remembered(view, "history", (view.study, view.where), lambda: _history(view))


def _history(view: View) -> History:
    columns = (Trial.ended, Trial.accuracy, Trial.state, Trial.number, Trial.architecture_id)
    query = (
        joined(*columns, Architecture.operators)
        .where(*matching(view), Trial.accuracy.is_not(None), Trial.ended.is_not(None))
        .where(Trial.state.in_((TrialState.COMPLETE, TrialState.PRUNED)))
        .order_by(Trial.ended, Trial.id)
    )
    rows = view.store.read(lambda session: session.execute(query).all())
    points = [Point(row[0], row[1], TrialState(row[2]), *row[3:]) for row in rows]
    return History(thinned(points, MAX_POINTS), record_points(points), len(points))


def record_points(points: Sequence[Point]) -> list[Point]:
    """Complete ones that are better than all before them; what was pruned does not compare."""
    found: list[Point] = []
    for point in points:
        if point.state is not TrialState.COMPLETE:
            continue
        if not found or point.accuracy > found[-1].accuracy:
            found.append(point)
    return found


def seconds_left(view: View, studies: Sequence[StudySummary]) -> float | None:
    """When the last of the running studies will be done, at the pace of its present run.

    None while nothing runs, or too few trials have ended in the run to tell.
    """
    running = [study for study in studies if study.is_running]
    arguments = tuple((study.id, study.ended_trials) for study in running)
    return remembered(view, "left", arguments, lambda: _seconds_left(view.store, running))


def _seconds_left(store: Store, running: Sequence[StudySummary]) -> float | None:
    gone = store.runs.stale()
    live = {
        study.id: [
            run for run in store.runs.of_study(study.id) if run.ended is None and run.id not in gone
        ]
        for study in running
    }
    found = [_left(store, study, live[study.id]) for study in running]
    known = [seconds for seconds in found if seconds is not None]
    return max(known) if known else None


def _left(store: Store, study: StudySummary, runs: Sequence[RunRecord]) -> float | None:
    begun = min((run.started for run in runs), default=None)
    if begun is None:
        return None
    query = select(func.count()).where(Trial.study_id == study.id, Trial.ended >= begun)
    ended = store.read(lambda session: session.scalar(query)) or 0
    if ended < _ENOUGH:
        return None
    elapsed = (datetime.now(UTC) - begun).total_seconds()
    return elapsed / ended * max(0, study.planned_trials - study.ended_trials)
