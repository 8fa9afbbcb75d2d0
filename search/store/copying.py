"""Whole studies from one store into another, told apart by their uids: nothing twice.

All that the store has of a study goes along: trials, epochs, events, runs, networks with their
tags and notes, readings of the test split, latencies on its device. Numbers that a database gives
(of trials, runs, studies) are its own; what refers to them follows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from search.store.architectures import count_trials
from search.store.models import (
    ArchitectureMixerRow,
    ArchitectureNoteRow,
    ArchitectureRow,
    ArchitectureTagRow,
    Base,
    EventRow,
    LatencyPartRow,
    LatencyPredictorRow,
    LatencyRow,
    LatencySettingRow,
    MetricRow,
    RunRow,
    StudyRow,
    TestReadingRow,
    TrialRow,
)
from search.store.records import RunRecord
from search.store.stale_runs import stale_runs
from search.store.statements import RUNS, table_of
from search.store.store import Store
from space.errors import InputError, Problem, refuse

Row = dict[str, Any]
_BATCH = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True)
class CopiedStudies:
    """What came of copying.

    Attributes:
        trials: how many came with each study that is new, by its name, in order.
        present: by name of each study that was there already, its trials there and at the source.
    """

    trials: dict[str, int] = field(default_factory=dict)
    present: dict[str, tuple[int, int]] = field(default_factory=dict)


def copy_studies(source: Store, target: Store, names: Sequence[str] | None = None) -> CopiedStudies:
    """Copy studies, and those that they rest on, in one transaction.

    A study rests on those whose results or weights its trials took over, whose networks it
    retrains, and which its configuration names. A study whose uid the target has is left as it is
    there.

    Args:
        source: where they are; it is only read.
        target: where they come to.
        names: of the studies; None is all.

    Raises:
        InputError: where="study": an unknown one, one that a run works on, one whose name another
            study of the target has, or one that rests on a trial that the target's copy has not.
    """
    for name in names or ():
        source.studies.get(name)
    wanted = source.read(lambda connection: _wanted(connection, names))
    return target.write(lambda connection: _Copy(source, connection, target.url).of(wanted))


def _wanted(connection: Connection, names: Sequence[str] | None) -> list[Row]:
    """The studies, in order of their ids.

    Raises:
        InputError: a run works on one.
    """
    every = {row["id"]: row for row in _rows(connection, StudyRow)}
    chosen = {id_ for id_, row in every.items() if names is None or row["name"] in names}
    while more := _rest_on(connection, chosen, every) - chosen:
        chosen |= more
    runs = [RunRecord(*row) for row in connection.execute(RUNS.where(RunRow.ended.is_(None)))]
    stale = stale_runs(connection, runs)
    refuse(
        Problem(
            "study", f"process {run.pid} on {run.host} works on {every[run.study_id]['name']!r}"
        )
        for run in runs
        if run.study_id in chosen and run.id not in stale
    )
    return [every[id_] for id_ in sorted(chosen)]


def _rest_on(connection: Connection, chosen: set[int], every: dict[int, Row]) -> set[int]:
    """Ids of the studies on which these rest."""
    ids = {row["name"]: id_ for id_, row in every.items()}
    named = {name for id_ in chosen for name in _named_by(every[id_])}
    found = {ids[name] for name in named if name in ids}
    other = table_of(TrialRow).alias()
    for column in (TrialRow.source_trial_id, TrialRow.parent_trial_id):
        query = select(other.c.study_id).distinct().join(TrialRow, column == other.c.id)
        found |= set(connection.scalars(query.where(TrialRow.study_id.in_(chosen))))
    return found


def _named_by(study: Row) -> Iterator[str]:
    config = study["config"]
    yield from config.get("warm_start") or ()
    for name in (config.get("finetune_from"), (study["retrains"] or {}).get("study")):
        if name is not None:
            yield name


class _Copy:
    """One transaction's work."""

    def __init__(self, source: Store, connection: Connection, url: str) -> None:
        self._source = source
        self._connection = connection
        self._url = url
        self._trials: dict[int, int] = {}

    def of(self, wanted: list[Row]) -> CopiedStudies:
        known = self._known(wanted)
        found, new = CopiedStudies(), [row for row in wanted if row["uid"] not in known]
        for row in wanted:
            if row["uid"] in known:
                found.present[row["name"]] = self._match(row["id"], known[row["uid"]])
        for row in new:
            self._setting(row["latency_setting"])
            found.trials[row["name"]] = self._study(row)
        for row in new:
            self._references(row)
        return found

    def _known(self, wanted: list[Row]) -> dict[str, int]:
        """The ids of the studies that are there, by their uids."""
        every = self._connection.execute(select(StudyRow.uid, StudyRow.id, StudyRow.name)).all()
        known = {row.uid: row.id for row in every}
        taken = {row.name for row in every}
        refuse(
            Problem("study", f"{row['name']!r} is the name of another study in {self._url}")
            for row in wanted
            if row["uid"] not in known and row["name"] in taken
        )
        return known

    def _match(self, source_id: int, target_id: int) -> tuple[int, int]:
        """Which trial is which in a study that is there; how many it has there, and at the source.

        They are told apart by their numbers.
        """
        there = self._numbers(self._connection, target_id)
        here = self._source.read(lambda connection: self._numbers(connection, source_id))
        self._trials |= {id_: there[number] for number, id_ in here.items() if number in there}
        return len(there), len(here)

    def _numbers(self, connection: Connection, study_id: int) -> dict[int, int]:
        query = select(TrialRow.number, TrialRow.id).where(TrialRow.study_id == study_id)
        return {row.number: row.id for row in connection.execute(query)}

    def _study(self, row: Row) -> int:
        old = row["id"]
        new = self._add_one(StudyRow, row)
        runs = {
            run["id"]: self._add_one(RunRow, run | {"study_id": new})
            for run in self._read(RunRow, RunRow.study_id == old)
        }
        trials = self._read(TrialRow, TrialRow.study_id == old)
        for batch in _batches([trial["architecture_id"] for trial in trials]):
            self._architectures(batch, row["latency_setting"])
        changed = {"study_id": new, "source_trial_id": None, "parent_trial_id": None}
        moved = [trial | changed | {"run_id": runs.get(trial["run_id"])} for trial in trials]
        self._add(TrialRow, moved)
        count_trials(self._connection, Counter(trial["architecture_id"] for trial in trials))
        there = self._numbers(self._connection, new)
        self._trials |= {trial["id"]: there[trial["number"]] for trial in trials}
        for ids in _batches([trial["id"] for trial in trials]):
            self._of_trials(ids, new)
        return len(trials)

    def _of_trials(self, ids: list[int], study_id: int) -> None:
        for model in (MetricRow, EventRow, TestReadingRow):
            rows = [
                row | {"trial_id": self._trials[row["trial_id"]]}
                for row in self._read(model, model.trial_id.in_(ids))
            ]
            of_study = {"study_id": study_id} if model is EventRow else {}
            self._add(model, [row | of_study for row in rows])

    def _references(self, study: Row) -> None:
        """Of trials that took over results or weights, whose."""
        refers = TrialRow.source_trial_id.is_not(None) | TrialRow.parent_trial_id.is_not(None)
        rows = self._read(TrialRow, (TrialRow.study_id == study["id"]) & refers)
        columns = ("source_trial_id", "parent_trial_id")
        lacking = [row["number"] for row in rows if not self._has(row[c] for c in columns)]
        if lacking:
            numbers = ", ".join(map(str, lacking[:5]))
            raise InputError.of(
                "study",
                f"trials {numbers} of {study['name']!r} rest on trials that a study in {self._url} "
                "has not, which is an earlier copy: delete that first",
            )
        table = table_of(TrialRow)
        change = update(table).where(table.c.id == bindparam("trial"))
        change = change.values({column: bindparam(f"new_{column}") for column in columns})
        values: list[Row] = [
            {"trial": self._trials[row["id"]]}
            | {f"new_{column}": self._trials.get(row[column]) for column in columns}
            for row in rows
        ]
        if values:
            self._connection.execute(change, values)

    def _has(self, trial_ids: Iterable[int | None]) -> bool:
        return all(id_ is None or id_ in self._trials for id_ in trial_ids)

    def _architectures(self, ids: list[str], setting: str | None) -> None:
        found = self._read(ArchitectureRow, ArchitectureRow.id.in_(ids))
        new = self._add_missing(ArchitectureRow, [row | {"trials": 0} for row in found])
        mixers = self._read(ArchitectureMixerRow, ArchitectureMixerRow.architecture_id.in_(new))
        self._add(ArchitectureMixerRow, mixers)
        tags = self._read(ArchitectureTagRow, ArchitectureTagRow.architecture_id.in_(ids))
        self._add_missing(ArchitectureTagRow, tags)
        self._add_unequal(ArchitectureNoteRow, ArchitectureNoteRow.architecture_id.in_(ids))
        if setting is not None:
            mine = (LatencyRow.setting_id == setting) & LatencyRow.architecture_id.in_(ids)
            self._add_unequal(LatencyRow, mine)

    def _setting(self, setting: str | None) -> None:
        """A device with its parts and predictors, unless the target has measured some itself."""
        if setting is None:
            return
        rows = self._read(LatencySettingRow, LatencySettingRow.id == setting)
        self._add_missing(LatencySettingRow, rows)
        for model in (LatencyPartRow, LatencyPredictorRow):
            mine = model.setting_id == setting
            there = select(func.count()).select_from(model).where(mine)
            if not self._connection.scalar(there):
                self._add(model, self._read(model, mine))

    def _add_unequal(self, model: type[Base], condition: Any) -> None:
        """The rows of which the target has none that says the same."""
        there = [_without_id(row) for row in _rows(self._connection, model, condition)]
        self._add(model, [r for r in self._read(model, condition) if _without_id(r) not in there])

    def _read(self, model: type[Base], condition: Any) -> list[Row]:
        return self._source.read(lambda connection: _rows(connection, model, condition))

    def _add(self, model: type[Base], rows: Iterable[Row]) -> None:
        values = list(rows)
        if values:
            self._connection.execute(
                insert(table_of(model)), [_fresh(model, row) for row in values]
            )

    def _add_one(self, model: type[Base], row: Row) -> int:
        table = table_of(model)
        statement = insert(table).returning(table.c.id)
        id_: int = self._connection.execute(statement, _fresh(model, row)).scalar_one()
        return id_

    def _add_missing(self, model: type[Base], rows: list[Row]) -> list[Any]:
        """The first parts of the keys of those rows that were not there."""
        if not rows:
            return []
        table = table_of(model)
        on_server = self._connection.dialect.name == "postgresql"
        kind: Any = postgresql.insert if on_server else sqlite.insert
        (first, *_) = table.primary_key.columns
        statement = kind(table).on_conflict_do_nothing().returning(first)
        return list(self._connection.execute(statement, rows).scalars())


def _rows(connection: Connection, model: type[Base], *conditions: Any) -> list[Row]:
    """Rows by the keys of their columns, in order of their primary key."""
    table: Table = table_of(model)
    query: Select[Any] = select(table).where(*conditions).order_by(*table.primary_key.columns)
    keys = table.c.keys()
    return [dict(zip(keys, row, strict=True)) for row in connection.execute(query)]


def _fresh(model: type[Base], row: Row) -> Row:
    """The row without the number that a database gives."""
    return row if table_of(model).autoincrement_column is None else _without_id(row)


def _without_id(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "id"}


def _batches(ids: Iterable[Any]) -> Iterator[list[Any]]:
    every = list(dict.fromkeys(ids))
    return (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))
