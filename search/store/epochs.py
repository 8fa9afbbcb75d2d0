"""Epochs: what a trial reports, and the trial's totals kept in step with it."""

import math
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from search.store.connection import Connected, reads, writes
from search.store.events import lock_study_of, write_event
from search.store.insert import upsert
from search.store.mapping import EPOCH_COLUMNS
from search.store.models import Metric, Trial
from search.store.records import EpochRecord
from search.store.states import TERMINAL, EventKind

_BATCH = 500
"""Ids per query; databases limit how many values one statement may bind."""


class Epochs(Connected):
    """The part of the store that keeps the epochs of trials."""

    @writes
    def record_epoch(
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
        values = {name: _finite(value) for name, value in asdict(epoch).items()}
        if upsert(session, Metric, {"trial_id": trial_id, **values}):
            write_event(session, study_id, trial_id, EventKind.EPOCH, epoch.epoch)
        retotal(session, trial_id)
        return True

    @writes
    def forget_epochs(self, session: Session, trial_id: int, *, after: int) -> None:
        """Deletes the epochs numbered above `after`: a trial that goes on from an older point."""
        study_id = lock_study_of(session, trial_id)
        if study_id is None or not _holds(session, trial_id, None):
            return
        beyond = delete(Metric).where(Metric.trial_id == trial_id, Metric.epoch > after)
        if session.execute(beyond.returning(Metric.epoch)).first() is not None:
            write_event(session, study_id, trial_id, EventKind.FORGOTTEN, after)
            retotal(session, trial_id)

    @reads
    def epochs(self, session: Session, trial_id: int) -> list[EpochRecord]:
        """The epochs of a trial, in order."""
        query = select(*EPOCH_COLUMNS).where(Metric.trial_id == trial_id).order_by(Metric.epoch)
        return [EpochRecord(*row) for row in session.execute(query)]

    @reads
    def curves(self, session: Session, trial_ids: Collection[int]) -> dict[int, list[EpochRecord]]:
        """The epochs of several trials, each in order; an empty list for one without any."""
        curves: dict[int, list[EpochRecord]] = {trial_id: [] for trial_id in trial_ids}
        for ids in _batches(curves):
            query = select(Metric.trial_id, *EPOCH_COLUMNS).where(Metric.trial_id.in_(ids))
            for trial_id, *values in session.execute(query.order_by(Metric.trial_id, Metric.epoch)):
                curves[trial_id].append(EpochRecord(*values))
        return curves

    @reads
    def study_curves(self, session: Session, study_id: int) -> dict[int, list[EpochRecord]]:
        """The epochs of every trial of a study that has any, by trial id, each in order."""
        return read_curves(session, study_id)


def read_curves(session: Session, study_id: int) -> dict[int, list[EpochRecord]]:
    """The epochs of every trial of a study that has any, within a transaction."""
    query = (
        select(Metric.trial_id, *EPOCH_COLUMNS)
        .join(Trial, Trial.id == Metric.trial_id)
        .where(Trial.study_id == study_id)
        .order_by(Metric.trial_id, Metric.epoch)
    )
    curves: dict[int, list[EpochRecord]] = {}
    for trial_id, *values in session.execute(query):
        curves.setdefault(trial_id, []).append(EpochRecord(*values))
    return curves


def _holds(session: Session, trial_id: int, run_id: int | None) -> bool:
    query = select(Trial.id).where(Trial.id == trial_id, Trial.state.not_in(TERMINAL))
    if run_id is not None:
        query = query.where(Trial.run_id == run_id)
    return session.scalar(query.with_for_update()) is not None


def retotal(session: Session, trial_id: int) -> None:
    """Sets the trial's totals from its epochs; right however often an epoch is written."""
    mine = Metric.trial_id == trial_id
    accuracy = Metric.validation_accuracy
    done, seconds = session.execute(
        select(func.count(), func.coalesce(func.sum(Metric.seconds), 0.0)).where(mine)
    ).one()
    # The database knows the non-finite as NULL, which a maximum passes over.
    best = select(Metric.epoch, accuracy).where(mine, accuracy.is_not(None))
    best_epoch, best_accuracy = _first(session, best.order_by(accuracy.desc(), Metric.epoch))
    last = select(Metric.epoch, accuracy).where(mine).order_by(Metric.epoch.desc())
    last_epoch, last_accuracy = _first(session, last)
    session.execute(
        update(Trial)
        .where(Trial.id == trial_id)
        .values(
            epochs_done=done,
            seconds=seconds,
            best_epoch=best_epoch,
            best_accuracy=best_accuracy,
            last_epoch=last_epoch,
            last_accuracy=last_accuracy,
        )
        .execution_options(synchronize_session=False)
    )


def _first(session: Session, query: Any) -> tuple[Any, Any]:
    row = session.execute(query.limit(1)).one_or_none()
    return (None, None) if row is None else (row[0], row[1])


def _finite(value: float | None) -> float | None:
    return value if value is None or math.isfinite(value) else None


def _batches(ids: Iterable[int]) -> Iterable[list[int]]:
    every = list(ids)
    return (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))
