"""How fast studies go: trials an hour, the time that is left, and what their training took."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from search.store.models import TrialRow
from search.store.records import RunRecord, StudySummary
from search.store.stale_runs import StaleRuns
from search.store.store import Store

_ENOUGH = 3
"""Ended trials from which on a pace is worth showing."""


@dataclass(frozen=True, slots=True)
class StudyPace:
    """How fast a study goes.

    Attributes:
        trials_per_hour: that end, in its present run.
        seconds_left: until what is planned has ended, at that pace.
    """

    trials_per_hour: float
    seconds_left: float


def study_pace(store: Store, study: StudySummary) -> StudyPace | None:
    """The pace of a study; None while it does not run, or too few trials have ended to tell."""
    return _pace(store, study, store.runs.stale()) if study.is_running else None


def seconds_left(store: Store, studies: Iterable[StudySummary]) -> float | None:
    """When the last of the running studies will be done, at the pace of its present run.

    None while nothing runs, or too few trials have ended in the run to tell.
    """
    stale = store.runs.stale()
    found = [_pace(store, study, stale) for study in studies if study.is_running]
    return max((pace.seconds_left for pace in found if pace is not None), default=None)


def _pace(store: Store, study: StudySummary, stale: StaleRuns) -> StudyPace | None:
    begun = _begun(store.runs.of_study(study.id), stale)
    if begun is None:
        return None
    query = select(func.count()).where(TrialRow.study_id == study.id, TrialRow.ended >= begun)
    ended = store.read(lambda connection: connection.scalar(query)) or 0
    seconds = (datetime.now(UTC) - begun).total_seconds()
    if ended < _ENOUGH or seconds <= 0:
        return None
    left = max(0, study.all_planned_trials - study.ended_trials)
    return StudyPace(3600 * ended / seconds, seconds / ended * left)


def _begun(runs: Sequence[RunRecord], stale: StaleRuns) -> datetime | None:
    """When the first of the live runs began."""
    live = (run.started for run in runs if run.ended is None and run.id not in stale)
    return min(live, default=None)


def training_seconds(store: Store) -> dict[int, float]:
    """What the trials of every study took to train, by its id; what was taken over took nothing."""
    query = (
        select(TrialRow.study_id, func.sum(TrialRow.seconds))
        .where(TrialRow.source_trial_id.is_(None))
        .group_by(TrialRow.study_id)
    )
    rows: Any = store.read(lambda connection: connection.execute(query).all())
    return {study: float(seconds or 0.0) for study, seconds in rows}
