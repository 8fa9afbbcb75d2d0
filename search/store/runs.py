"""Runs: the driver processes and their heartbeats."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from search.store.connection import Connected, reads, writes
from search.store.events import lock_study, write_event
from search.store.mapping import RUN_COLUMNS
from search.store.models import Run, Trial
from search.store.process import ProcessIdentity
from search.store.records import RunRecord
from search.trial_states import OPEN, EventKind, TrialState


class Runs(Connected):
    """The part of the store that keeps runs."""

    @writes
    def begin_run(
        self,
        session: Session,
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
        now = self._now(session)
        run = Run(
            study_id=study_id,
            **asdict(process),
            started=now,
            heartbeat=now,
            machine=machine,
            code_version=code_version,
        )
        session.add(run)
        session.flush()
        return RunRecord(*session.execute(select(*RUN_COLUMNS).where(Run.id == run.id)).one())

    @writes
    def heartbeat(self, session: Session, run_id: int) -> bool:
        """Says that the run is alive. False: it was ended, its trials may be another's by now."""
        alive = update(Run).where(Run.id == run_id, Run.ended.is_(None))
        beaten = session.execute(alive.values(heartbeat=self._now(session)).returning(Run.id))
        return beaten.one_or_none() is not None

    @writes
    def end_run(
        self, session: Session, run_id: int, reason: str = "the run ended before the trial"
    ) -> None:
        """Ends a run; trials that it leaves open become preempted for this reason. Idempotent."""
        close_run(session, run_id, reason, self._now(session))

    @reads
    def runs(self, session: Session, study_id: int) -> list[RunRecord]:
        """The runs of a study, the oldest first."""
        query = select(*RUN_COLUMNS).where(Run.study_id == study_id).order_by(Run.id)
        return [RunRecord(*row) for row in session.execute(query)]


def close_run(session: Session, run_id: int, reason: str, now: Any) -> list[int]:
    """Ends a run within a transaction; the ids of the trials that this preempted."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.ended.is_(None))
        .values(ended=now, end_reason=reason)
    )
    study_id = session.scalar(select(Run.study_id).where(Run.id == run_id))
    if study_id is None:
        return []
    lock_study(session, study_id)
    left = update(Trial).where(Trial.run_id == run_id, Trial.state.in_(OPEN))
    preempted = session.execute(
        left.values(state=TrialState.PREEMPTED, reason=reason).returning(Trial.id)
    )
    ids = sorted(preempted.scalars())
    for trial_id in ids:
        write_event(session, study_id, trial_id, EventKind.PREEMPTED)
    return ids
