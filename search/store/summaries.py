"""Summaries: how far studies are, as readers see them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, func, null, select, union_all

from search.store.models import SPECIAL, RunRow, StudyRow, TrialRow
from search.store.records import RunRecord, StudySummary
from search.store.stale_runs import PREEMPTED, StaleRuns, left_open, stale_runs
from search.store.statements import RUNS
from search.trial_states import TrialState


def study_summaries(connection: Connection, study_id: int | None = None) -> list[StudySummary]:
    """Every study as readers see it, the newest first; of one only where its id is given."""
    runs: dict[int, list[RunRecord]] = defaultdict(list)
    for values in connection.execute(
        RUNS.where(*_only(RunRow.study_id, study_id)).order_by(RunRow.id)
    ):
        run = RunRecord(*values)
        runs[run.study_id].append(run)
    stale = stale_runs(connection, [run for each in runs.values() for run in each])
    counts: dict[int, Counter[TrialState]] = defaultdict(Counter)
    best: dict[int, float | None] = {}
    for study, state, number, accuracy in connection.execute(_counts(study_id, stale)):
        counts[study][state] += number
        if state is TrialState.COMPLETE:
            best[study] = accuracy
    studies = select(*_SUMMARY_COLUMNS).where(*_only(StudyRow.id, study_id))
    return [
        StudySummary(
            **{name: value for name, value in row._mapping.items() if name != "retrains"},
            planned_repeats=_planned_repeats(row.retrains),
            counts=dict.fromkeys(TrialState, 0) | counts[row.id],
            best_accuracy=best.get(row.id),
            is_running=any(run.ended is None and run.id not in stale for run in runs[row.id]),
            started=next((run.started for run in runs[row.id]), None),
            last_activity=max(
                (run.ended or run.heartbeat for run in runs[row.id]), default=row.created
            ),
        )
        for row in connection.execute(studies.order_by(StudyRow.id.desc()))
    ]


def _planned_repeats(retrains: Any) -> int:
    """Of what `StudyRow.retrains` holds: each network has some seeds, of which one is no repeat."""
    networks = [] if retrains is None else retrains.get("networks", [])
    return sum(each["seeds"] - 1 for each in networks)


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
    StudyRow.retrains,
    # Trials that did not simply train from scratch, once, in one go.
    _count("reused", TrialRow.source_trial_id.is_not(None)),
    _count("inherited", TrialRow.parent_trial_id.is_not(None)),
    _count("continued", TrialRow.continued > 0),
    _count("repeated", TrialRow.repeat > 0),
]


def _counts(study_id: int | None, stale: StaleRuns) -> Executable:
    """Rows of study, state, number of trials to add and best accuracy.

    Trials are counted as they are written down, which an index answers; the few that stale
    runs left open are then taken from their states and added to the preempted.
    """
    only = _only(TrialRow.study_id, study_id)
    written, number = (TrialRow.study_id, TrialRow.state), func.count()
    all_of_them = select(*written, number, func.max(TrialRow.accuracy)).where(*only)
    if not stale:
        return all_of_them.group_by(*written)
    left = (*only, left_open(stale))
    seen = (TrialRow.study_id, PREEMPTED)
    return union_all(
        all_of_them.group_by(*written),
        select(*written, -number, null()).where(*left).group_by(*written),
        select(*seen, number, null()).where(*left).group_by(TrialRow.study_id),
    )


def _only(column: Any, study_id: int | None) -> Sequence[ColumnElement[bool]]:
    return [] if study_id is None else [column == study_id]
