"""Deleting a study with all that is its own, and nothing that anything else refers to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.orm import aliased

from search.store.architectures import count_trials
from search.store.events import lock_study
from search.store.models import (
    ArchitectureMixerRow,
    ArchitectureNoteRow,
    ArchitectureRow,
    ArchitectureTagRow,
    EventRow,
    MetricRow,
    RunRow,
    StudyRow,
    TestReadingRow,
    TrialRow,
)
from search.store.records import RunRecord
from search.store.stale_runs import stale_runs
from search.store.statements import RUNS
from space.errors import Problem, refuse
from space.wording import count

_BATCH = 500
"""Ids in one statement."""
_OF_ARCHITECTURE = (ArchitectureMixerRow, ArchitectureTagRow, ArchitectureNoteRow)


@dataclass(frozen=True, slots=True)
class StudyContents:
    """What goes with a study, in numbers.

    Attributes:
        trials, epochs, events, runs: of the study.
        architectures: that no other study has, and for which the test split was never read.
        tags, notes: of these architectures.
        readings: of the test split with its weights; they stay, and their architectures with them.
    """

    trials: int
    epochs: int
    events: int
    runs: int
    architectures: int
    tags: int
    notes: int
    readings: int


def study_contents(connection: Connection, study_id: int) -> StudyContents:
    """What would go with a study."""
    mine = _trials_of(study_id)

    def number(row: Any, condition: Any) -> int:
        return connection.scalar(select(func.count()).select_from(row).where(condition)) or 0

    own = _own_architectures(study_id)
    return StudyContents(
        trials=number(TrialRow, TrialRow.study_id == study_id),
        epochs=number(MetricRow, MetricRow.trial_id.in_(mine)),
        events=number(EventRow, EventRow.study_id == study_id),
        runs=number(RunRow, RunRow.study_id == study_id),
        architectures=connection.scalar(select(func.count()).select_from(own.subquery())) or 0,
        tags=number(ArchitectureTagRow, ArchitectureTagRow.architecture_id.in_(own)),
        notes=number(ArchitectureNoteRow, ArchitectureNoteRow.architecture_id.in_(own)),
        readings=number(TestReadingRow, TestReadingRow.trial_id.in_(mine)),
    )


def refuse_to_delete(connection: Connection, study_id: int) -> None:
    """See to it that nobody works on a study, and that nothing else rests on it.

    Raises:
        InputError: where="study", a problem for each run that works on it, and for each other
            study that took over results or weights of it, retrains its networks, or names it.
    """
    refuse(
        Problem("study", why)
        for why in [*_at_work(connection, study_id), *_rests(connection, study_id)]
    )


def delete_study(connection: Connection, study_id: int) -> StudyContents:
    """Delete a study; readings of the test split are kept without their trials.

    Returns:
        What went.

    Raises:
        InputError: as `refuse_to_delete` says; nothing was changed.
        LookupError: there is no such study.
    """
    lock_study(connection, study_id)
    _keep_others_from_adding(connection)
    refuse_to_delete(connection, study_id)
    gone = study_contents(connection, study_id)
    own, mine = connection.scalars(_own_architectures(study_id)).all(), _trials_of(study_id)
    ids = select(TrialRow.architecture_id).where(TrialRow.study_id == study_id)
    fewer = {id_: -trials for id_, trials in Counter(connection.scalars(ids)).items()}
    readings = update(TestReadingRow).where(TestReadingRow.trial_id.in_(mine))
    for statement in (
        delete(MetricRow).where(MetricRow.trial_id.in_(mine)),
        delete(EventRow).where(EventRow.study_id == study_id),
        readings.values(trial_id=None),
        delete(TrialRow).where(TrialRow.study_id == study_id),
        delete(RunRow).where(RunRow.study_id == study_id),
        delete(StudyRow).where(StudyRow.id == study_id),
    ):
        connection.execute(statement)
    count_trials(connection, fewer)
    for start in range(0, len(own), _BATCH):
        _delete_architectures(connection, own[start : start + _BATCH])
    return gone


def _delete_architectures(connection: Connection, ids: Any) -> None:
    columns = [*(row.architecture_id for row in _OF_ARCHITECTURE), ArchitectureRow.id]
    for column in columns:
        statement = delete(column.class_).where(column.in_(ids))
        connection.execute(statement)


def _trials_of(study_id: int) -> Any:
    return select(TrialRow.id).where(TrialRow.study_id == study_id)


def _own_architectures(study_id: int) -> Any:
    """A query of the ids of those that nothing but the study has."""
    other = aliased(TrialRow)
    elsewhere = select(other.id).where(
        other.architecture_id == TrialRow.architecture_id, other.study_id != study_id
    )
    was_read = select(TestReadingRow.id).where(
        TestReadingRow.architecture_id == TrialRow.architecture_id
    )
    mine = select(TrialRow.architecture_id).where(TrialRow.study_id == study_id).distinct()
    return mine.where(~elsewhere.exists(), ~was_read.exists())


def _keep_others_from_adding(connection: Connection) -> None:
    """Until the transaction ends no other may add an architecture that is about to go.

    Who adds a trial first adds its architecture, and finds it there; so the whole table is held. On
    SQLite the transaction holds the file already.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE architectures IN EXCLUSIVE MODE"))


def _at_work(connection: Connection, study_id: int) -> Iterator[str]:
    unended = RUNS.where(RunRow.study_id == study_id, RunRow.ended.is_(None))
    runs = [RunRecord(*row) for row in connection.execute(unended)]
    stale = stale_runs(connection, runs)
    for run in runs:
        if run.id not in stale:
            yield f"process {run.pid} on {run.host} works on it; stop that run first"


def _rests(connection: Connection, study_id: int) -> Iterator[str]:
    """What other studies have of this one."""
    mine, name = _trials_of(study_id), connection.scalar(_NAME.where(StudyRow.id == study_id))
    for column, what in (
        (TrialRow.source_trial_id, "took over its results"),
        (TrialRow.parent_trial_id, "began with its weights"),
    ):
        others = select(StudyRow.name, func.count()).join(
            TrialRow, TrialRow.study_id == StudyRow.id
        )
        others = others.where(column.in_(mine), StudyRow.id != study_id)
        for other, trials in connection.execute(
            others.group_by(StudyRow.name).order_by(StudyRow.name)
        ):
            yield f"{count(trials, 'trial')} of study {other!r} {what}; delete that study first"
    named = select(StudyRow.name, StudyRow.config, StudyRow.retrains)
    for other, config, retrains in connection.execute(named.where(StudyRow.id != study_id)):
        if (retrains or {}).get("study") == name:
            yield f"study {other!r} retrains its networks; delete that study first"
        if name in (config.get("warm_start") or []):
            yield f"study {other!r} learns from it (warm_start); delete that study first"
        if config.get("finetune_from") == name:
            yield f"study {other!r} starts from its weights (finetune_from); delete that one first"


_NAME = select(StudyRow.name)
