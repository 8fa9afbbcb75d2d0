"""Runs: the driver processes, their heartbeats, and the end of those whose process is gone."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from search.store.database import StorePart, reads, store_time, writes
from search.store.events import lock_study, write_event
from search.store.models import RunRow, TrialRow
from search.store.process import Liveness, ProcessIdentity, liveness_of
from search.store.records import RunRecord, TrialRecord
from search.store.stale_runs import StaleRuns, stale_runs, unended_runs, why_over
from search.store.statements import RUN_COLUMNS, RUNS, TRIALS, table_of
from search.trial_states import OPEN, EventKind, TrialState

_BEGIN = insert(table_of(RunRow)).returning(*RUN_COLUMNS)


class Runs(StorePart):
    """The part of the store that keeps runs."""

    @writes
    def begin(
        self,
        connection: Connection,
        study_id: int,
        *,
        process: ProcessIdentity,
        machine: dict[str, Any],
        code_version: str,
    ) -> RunRecord:
        """A driver process begins to work on a study.

        Args:
            study_id: of the study.
            process: which one it is.
            machine: what the machine is, for people.
            code_version: of mixspace.
        """
        now = store_time(connection)
        values = asdict(process) | {
            "study_id": study_id,
            "started": now,
            "heartbeat": now,
            "machine": machine,
            "code_version": code_version,
        }
        return RunRecord(*connection.execute(_BEGIN, values).one())

    @writes
    def heartbeat(self, connection: Connection, run_id: int) -> bool:
        """Says that the run is alive. False: it was ended, its trials may be another's by now."""
        alive = update(RunRow).where(RunRow.id == run_id, RunRow.ended.is_(None))
        beaten = connection.execute(
            alive.values(heartbeat=store_time(connection)).returning(RunRow.id)
        )
        return beaten.one_or_none() is not None

    @writes
    def end(
        self, connection: Connection, run_id: int, reason: str = "the run ended before the trial"
    ) -> None:
        """Ends a run; trials that it leaves open become preempted for this reason. Idempotent."""
        _close(connection, run_id, reason, store_time(connection))

    @reads
    def of_study(self, connection: Connection, study_id: int) -> list[RunRecord]:
        """The runs of a study, the oldest first."""
        query = RUNS.where(RunRow.study_id == study_id).order_by(RunRow.id)
        return [RunRecord(*row) for row in connection.execute(query)]

    @reads
    def stale(self, connection: Connection) -> StaleRuns:
        """The runs that never ended and whose process is gone, with the reason."""
        return stale_runs(connection)

    @reads
    def hidden(self, connection: Connection, study_id: int) -> list[tuple[RunRecord, float]]:
        """The study's runs that have not ended and whose process cannot be seen from here.

        Each with the age of its heartbeat in seconds: negative where clocks disagree.
        """
        runs = [run for run in unended_runs(connection) if run.study_id == study_id]
        hidden = [run for run in runs if liveness_of(run.process) is Liveness.HIDDEN]
        if not hidden:
            return []
        now = store_time(connection)
        return [(run, (now - run.heartbeat).total_seconds()) for run in hidden]

    @writes
    def end_stale(
        self,
        connection: Connection,
        study_id: int,
        *,
        stalled: Mapping[int, datetime] | None = None,
    ) -> list[TrialRecord]:
        """Ends the study's runs whose process is gone; preempts their open trials, with the reason.

        Only for the driver that takes the study over; `stale` tells readers the same. Doing it
        twice, or in two processes at once, changes nothing more.

        Args:
            study_id: of the study.
            stalled: of runs whose process cannot be seen from here, the heartbeats that have been
                watched and stand still, as `stalled_heartbeats` gives them. Such a run ends if
                its heartbeat is still this one; all others that cannot be seen are left alone.

        Returns:
            The trials that this call preempted.
        """
        now = store_time(connection)
        mine = RUNS.where(RunRow.ended.is_(None), RunRow.study_id == study_id)
        locked = mine.order_by(RunRow.id).with_for_update(key_share=True)
        preempted: list[int] = []
        for run in [RunRecord(*row) for row in connection.execute(locked)]:
            reason = why_over(run, now, (stalled or {}).get(run.id))
            if reason is not None:
                preempted += _close(connection, run.id, reason, now)
        trials = TRIALS.where(TrialRow.id.in_(preempted)).order_by(TrialRow.id)
        return [TrialRecord(*row) for row in connection.execute(trials)] if preempted else []


def _close(connection: Connection, run_id: int, reason: str, now: datetime) -> list[int]:
    """Ends a run within a transaction; the ids of the trials that this preempted."""
    connection.execute(
        update(RunRow)
        .where(RunRow.id == run_id, RunRow.ended.is_(None))
        .values(ended=now, end_reason=reason)
    )
    study_id = connection.scalar(select(RunRow.study_id).where(RunRow.id == run_id))
    if study_id is None:
        return []
    lock_study(connection, study_id)
    left = update(TrialRow).where(TrialRow.run_id == run_id, TrialRow.state.in_(OPEN))
    preempted = connection.execute(
        left.values(state=TrialState.PREEMPTED, reason=reason).returning(TrialRow.id)
    )
    ids = sorted(preempted.scalars())
    for trial_id in ids:
        write_event(connection, study_id, trial_id, EventKind.PREEMPTED)
    return ids
