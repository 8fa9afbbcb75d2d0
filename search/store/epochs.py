"""Epochs: what a trial reports, and the trial's totals kept in step with it."""

from collections.abc import Collection, Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
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

from search.store.database import StorePart, reads, writes
from search.store.events import write_event
from search.store.models import MetricRow, StudyRow, TrialRow
from search.store.records import EpochRecord
from search.store.statements import EPOCH_COLUMNS, table_of, upsert
from search.store.trial_statements import UNENDED
from search.trial_states import EventKind

_BATCH = 500
"""Ids per query; databases limit how many values one statement may bind."""


class Epochs(StorePart):
    """The part of the store that keeps the epochs of trials."""

    @writes
    def record(
        self,
        connection: Connection,
        trial_id: int,
        epoch: EpochRecord,
        *,
        run_id: int | None = None,
    ) -> bool:
        """Writes an epoch down; writing it again replaces it, and is no new event.

        Args:
            trial_id: of the trial.
            epoch: its numbers; those that are not finite are stored as NULL.
            run_id: when given, only while the trial belongs to this run.

        Returns:
            False, and nothing is written, when the trial has ended or belongs to another run.
        """
        study_id = _lock(connection, trial_id, run_id)
        if study_id is None:
            return False
        if upsert(connection, MetricRow, {"trial_id": trial_id, **_values(epoch)}):
            write_event(connection, study_id, trial_id, EventKind.EPOCH, epoch.epoch)
        retotal(connection, trial_id)
        return True

    @writes
    def forget(
        self, connection: Connection, trial_id: int, *, after: int, run_id: int | None = None
    ) -> None:
        """Deletes the epochs numbered above `after`: a trial that goes on from an older point.

        With a `run_id`, only while the trial belongs to this run.
        """
        study_id = _lock(connection, trial_id, run_id)
        if study_id is None:
            return
        beyond = delete(MetricRow).where(MetricRow.trial_id == trial_id, MetricRow.epoch > after)
        if connection.execute(beyond.returning(MetricRow.epoch)).first() is not None:
            write_event(connection, study_id, trial_id, EventKind.FORGOTTEN, after)
            retotal(connection, trial_id)

    @reads
    def of_trial(self, connection: Connection, trial_id: int) -> list[EpochRecord]:
        """The epochs of a trial, in order."""
        return read_curves(connection, MetricRow.trial_id == trial_id).get(trial_id, [])

    @reads
    def of_trials(
        self, connection: Connection, trial_ids: Collection[int]
    ) -> dict[int, list[EpochRecord]]:
        """The epochs of several trials, each in order; an empty list for one without any."""
        curves: dict[int, list[EpochRecord]] = {trial_id: [] for trial_id in trial_ids}
        for ids in _batches(curves):
            curves |= read_curves(connection, MetricRow.trial_id.in_(ids))
        return curves


def read_curves(
    connection: Connection, wanted: ColumnElement[bool]
) -> dict[int, list[EpochRecord]]:
    """The wanted epochs by trial, in order, of trials that have any; within a transaction."""
    query = select(MetricRow.trial_id, *EPOCH_COLUMNS).where(wanted)
    curves: dict[int, list[EpochRecord]] = {}
    for trial_id, *values in connection.execute(
        query.order_by(MetricRow.trial_id, MetricRow.epoch)
    ):
        curves.setdefault(trial_id, []).append(EpochRecord(*values))
    return curves


_NAMES = [field.name for field in fields(EpochRecord)]
_READ = attrgetter(*_NAMES)


def _values(epoch: EpochRecord) -> dict[str, Any]:
    """Quicker than `asdict`, which copies what it finds."""
    return dict(zip(_NAMES, _READ(epoch), strict=True))


def _lock(connection: Connection, trial_id: int, run_id: int | None) -> int | None:
    """Holds an unended trial, and its study before it, until the transaction ends.

    Returns:
        The id of the study; None where the trial has ended, or belongs to another run.
    """
    found = connection.execute(_LOCK, {"trial": trial_id}).one_or_none()
    return found.id if found is not None and run_id in (None, found.run_id) else None


def retotal(connection: Connection, trial_id: int) -> None:
    """Sets the trial's totals from its epochs; right however often an epoch is written."""
    connection.execute(_RETOTAL, {"trial": trial_id})


_STUDIES, _TRIALS = table_of(StudyRow), table_of(TrialRow)
_LOCK = (
    select(_STUDIES.c.id, _TRIALS.c.run_id)
    .join(_TRIALS, _TRIALS.c.study_id == _STUDIES.c.id)
    .where(_TRIALS.c.id == bindparam("trial"), UNENDED)
    .with_for_update(of=[_STUDIES, _TRIALS])
)
"""One statement, as epochs are the most of what is written; studies are locked before trials."""

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
