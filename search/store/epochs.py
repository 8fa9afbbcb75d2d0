"""Epochs: what a trial reports, and the trial's totals kept in step with it."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Update,
    bindparam,
    case,
    delete,
    func,
    nulls_last,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from search.store.database import StorePart, reads, writes
from search.store.events import lock_study_of, write_event
from search.store.models import MetricRow, StudyRow, TrialRow
from search.store.records import EpochRecord
from search.store.statements import EPOCH_COLUMNS, table_of, upsert
from search.trial_states import TERMINAL, EventKind

_BATCH = 500
"""Ids per query; databases limit how many values one statement may bind."""


class Epochs(StorePart):
    """The part of the store that keeps the epochs of trials."""

    @writes
    def record(
        self, session: Session, trial_id: int, epoch: EpochRecord, *, run_id: int | None = None
    ) -> bool:
        """Writes an epoch down; writing it again replaces it, and is no new event.

        Args:
            trial_id: of the trial.
            epoch: its numbers; those that are not finite are stored as NULL.
            run_id: when given, only while the trial belongs to this run.

        Returns:
            False, and nothing is written, when the trial has ended or belongs to another run.
        """
        study_id = lock_study_of(session, trial_id)
        if study_id is None or not _holds(session, trial_id, run_id):
            return False
        if upsert(session, MetricRow, {"trial_id": trial_id, **asdict(epoch)}):
            write_event(session, study_id, trial_id, EventKind.EPOCH, epoch.epoch)
        retotal(session, trial_id)
        return True

    @writes
    def forget(
        self, session: Session, trial_id: int, *, after: int, run_id: int | None = None
    ) -> None:
        """Deletes the epochs numbered above `after`: a trial that goes on from an older point.

        With a `run_id`, only while the trial belongs to this run.
        """
        study_id = lock_study_of(session, trial_id)
        if study_id is None or not _holds(session, trial_id, run_id):
            return
        beyond = delete(MetricRow).where(MetricRow.trial_id == trial_id, MetricRow.epoch > after)
        if session.execute(beyond.returning(MetricRow.epoch)).first() is not None:
            write_event(session, study_id, trial_id, EventKind.FORGOTTEN, after)
            retotal(session, trial_id)

    @reads
    def of_trial(self, session: Session, trial_id: int) -> list[EpochRecord]:
        """The epochs of a trial, in order."""
        return read_curves(session, MetricRow.trial_id == trial_id).get(trial_id, [])

    @reads
    def of_trials(
        self, session: Session, trial_ids: Collection[int]
    ) -> dict[int, list[EpochRecord]]:
        """The epochs of several trials, each in order; an empty list for one without any."""
        curves: dict[int, list[EpochRecord]] = {trial_id: [] for trial_id in trial_ids}
        for ids in _batches(curves):
            curves |= read_curves(session, MetricRow.trial_id.in_(ids))
        return curves


def read_curves(session: Session, wanted: ColumnElement[bool]) -> dict[int, list[EpochRecord]]:
    """The wanted epochs by trial, in order, of trials that have any; within a transaction."""
    query = select(MetricRow.trial_id, *EPOCH_COLUMNS).where(wanted)
    curves: dict[int, list[EpochRecord]] = {}
    for trial_id, *values in session.execute(query.order_by(MetricRow.trial_id, MetricRow.epoch)):
        curves.setdefault(trial_id, []).append(EpochRecord(*values))
    return curves


def _holds(session: Session, trial_id: int, run_id: int | None) -> bool:
    found = session.execute(_HOLDER, {"trial": trial_id}).one_or_none()
    return found is not None and run_id in (None, found.run_id)


def retotal(session: Session, trial_id: int) -> None:
    """Sets the trial's totals from its epochs; right however often an epoch is written."""
    session.execute(_RETOTAL, {"trial": trial_id})


_TRIALS = table_of(TrialRow)
_HOLDER = (
    select(_TRIALS.c.run_id)
    .where(_TRIALS.c.id == bindparam("trial"), _TRIALS.c.state.not_in(TERMINAL))
    .with_for_update()
)


_STUDIES = table_of(StudyRow)
_RULE = (
    select(type_coerce(_STUDIES.c.protocol, JSON)["judged_by"].as_string())
    .where(_STUDIES.c.id == _TRIALS.c.study_id)
    .scalar_subquery()
)
"""As `search.objectives.judged_by` reads it; NULL in protocols of earlier releases."""


def _totals() -> Update:
    """One statement, made once: it runs at every epoch of every trial."""
    metrics = table_of(MetricRow)
    mine = metrics.c.trial_id == bindparam("trial")
    accuracy, epoch = metrics.c.validation_accuracy, metrics.c.epoch

    def of_all(total: Any) -> Any:
        return select(total).where(mine).scalar_subquery()

    def of_first(column: Any, *order: Any) -> Any:
        return select(column).where(mine).order_by(*order).limit(1).scalar_subquery()

    # The database knows the non-finite as NULL, which is never the best.
    best = (nulls_last(accuracy.desc()), epoch)
    highest, last = of_all(func.max(accuracy)), of_first(accuracy, epoch.desc())
    is_known = of_all(func.max(accuracy)).is_not(None)
    return (
        update(_TRIALS)
        .where(_TRIALS.c.id == bindparam("trial"))
        .values(
            epochs_done=of_all(func.count()),
            seconds=of_all(func.coalesce(func.sum(metrics.c.seconds), 0.0)),
            best_epoch=case((is_known, of_first(epoch, *best))),
            accuracy=case((_RULE == "last", last), else_=highest),
            best_accuracy=highest,
            last_epoch=of_all(func.max(epoch)),
            last_accuracy=last,
        )
    )


_RETOTAL = _totals()


def _batches(ids: Iterable[int]) -> Iterable[list[int]]:
    every = list(ids)
    return (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))
