"""Summaries: how far studies are, as readers see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Executable, func, literal, null, select, union_all
from sqlalchemy.orm import Session

from search.store.models import SPECIAL, RunRow, StudyRow, TrialRow
from search.store.records import RunRecord, StudySummary
from search.store.rows import RUN_COLUMNS
from search.store.stale_runs import StaleRuns, left_open, stale_runs
from search.trial_states import TrialState


def study_summaries(session: Session, study_id: int | None = None) -> list[StudySummary]:
    """Every study as readers see it, the newest first; of one only where its id is given."""
    only = [] if study_id is None else [StudyRow.id == study_id]
    studies = session.execute(select(*_SUMMARY_COLUMNS).where(*only).order_by(StudyRow.id.desc()))
    its_runs = _runs(session, study_id)
    stale = stale_runs(session, its_runs)
    trials = _trial_totals(session, study_id, stale)
    runs = _run_totals(its_runs, stale)
    return [
        _summary(row, trials.get(row.id, _NO_TRIALS), runs.get(row.id, _NO_RUNS)) for row in studies
    ]


def _count(name: str, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    # With the condition of the index, so that it is used: such trials are few.
    mine = (TrialRow.study_id == StudyRow.id, SPECIAL, condition)
    return select(func.count()).select_from(TrialRow).where(*mine).scalar_subquery().label(name)


_SUMMARY_COLUMNS = [
    StudyRow.id,
    StudyRow.name,
    StudyRow.created,
    StudyRow.planned_trials,
    StudyRow.searcher,
    StudyRow.scheduler,
    StudyRow.protocol_hash,
    StudyRow.exhausted,
    # Trials that did not simply train from scratch, once, in one go.
    _count("reused", TrialRow.source_trial_id.is_not(None)),
    _count("inherited", TrialRow.parent_trial_id.is_not(None)),
    _count("continued", TrialRow.continued > 0),
    _count("repeated", TrialRow.repeat > 0),
]


class _TrialTotals(NamedTuple):
    counts: dict[TrialState, int]
    best: float | None


class _RunTotals(NamedTuple):
    running: bool
    started: datetime | None
    last: datetime | None


_NO_TRIALS = _TrialTotals(dict.fromkeys(TrialState, 0), None)
_NO_RUNS = _RunTotals(False, None, None)


def _summary(row: Any, trials: _TrialTotals, runs: _RunTotals) -> StudySummary:
    return StudySummary(
        **row._mapping,
        counts=dict(trials.counts),
        best_accuracy=trials.best,
        is_running=runs.running,
        started=runs.started,
        last_activity=runs.last or row.created,
    )


def _trial_totals(
    session: Session, study_id: int | None, stale: StaleRuns
) -> dict[int, _TrialTotals]:
    """Counts by state and the best accuracy, in one query."""
    only = [] if study_id is None else [TrialRow.study_id == study_id]
    totals: dict[int, _TrialTotals] = {}
    for study, state, count, best in session.execute(_counts(only, stale)):
        before = totals.get(study, _NO_TRIALS)
        known = [before.best] if before.best is not None else []
        if best is not None and state == TrialState.COMPLETE:
            known.append(best)
        counts = before.counts | {TrialState(state): before.counts[TrialState(state)] + count}
        totals[study] = _TrialTotals(counts, max(known, default=None))
    return totals


def _counts(only: Sequence[ColumnElement[bool]], stale: StaleRuns) -> Executable:
    """Rows of study, state, number of trials to add and best accuracy.

    Trials are counted as they are written down, which an index answers; the few that stale
    runs left open are then taken from their states and added to the preempted.
    """
    written, number = (TrialRow.study_id, TrialRow.state), func.count()
    all_of_them = select(*written, number, func.max(TrialRow.accuracy)).where(*only)
    if not stale:
        return all_of_them.group_by(*written)
    left = (*only, left_open(stale))
    seen = (TrialRow.study_id, literal(TrialState.PREEMPTED.value))
    return union_all(
        all_of_them.group_by(*written),
        select(*written, -number, null()).where(*left).group_by(*written),
        select(*seen, number, null()).where(*left).group_by(TrialRow.study_id),
    )


def _runs(session: Session, study_id: int | None) -> list[RunRecord]:
    only = [] if study_id is None else [RunRow.study_id == study_id]
    query = select(*RUN_COLUMNS).where(*only).order_by(RunRow.id)
    return [RunRecord(*row) for row in session.execute(query)]


def _run_totals(runs: Sequence[RunRecord], stale: StaleRuns) -> dict[int, _RunTotals]:
    totals: dict[int, _RunTotals] = {}
    for run in runs:
        before = totals.get(run.study_id, _NO_RUNS)
        last = run.ended or run.heartbeat
        totals[run.study_id] = _RunTotals(
            before.running or (run.ended is None and run.id not in stale),
            before.started or run.started,
            max(last, before.last or last),
        )
    return totals
