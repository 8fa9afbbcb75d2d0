"""The reaper: ends runs whose process is gone, so that no trial stays running without one."""

import socket
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.store.connection import Connected, writes
from search.store.mapping import RUN_COLUMNS, TRIAL_COLUMNS, trial_record
from search.store.models import Run, Trial
from search.store.process import process_is_alive
from search.store.records import RunRecord, TrialRecord
from search.store.runs import close_run

HEARTBEAT_TIMEOUT = 60.0
"""Seconds without a heartbeat after which a run of another machine counts as gone."""

Alive = Callable[[int, float], bool]
"""Whether the process of this machine with that pid and start time still runs."""


class Reaper(Connected):
    """The part of the store that notices processes that are gone."""

    @writes
    def reap(
        self,
        session: Session,
        *,
        alive: Alive = process_is_alive,
        heartbeat_timeout: float = HEARTBEAT_TIMEOUT,
    ) -> list[TrialRecord]:
        """Ends the runs whose process is gone and preempts their open trials, with the reason.

        A run of this machine is gone when no live process has its pid and start time; a run of
        another machine, when its heartbeat is older than `heartbeat_timeout` seconds. Doing it
        twice, or in two processes at once, changes nothing more.

        Returns:
            The trials that this call preempted.
        """
        now = self._now(session)
        query = select(*RUN_COLUMNS).where(Run.ended.is_(None)).order_by(Run.id)
        runs = [RunRecord(*row) for row in session.execute(query.with_for_update(key_share=True))]
        preempted: list[int] = []
        for run in runs:
            reason = why_gone(run, now, alive, heartbeat_timeout)
            if reason is not None:
                preempted += close_run(session, run.id, reason, now)
        trials = select(*TRIAL_COLUMNS).where(Trial.id.in_(preempted)).order_by(Trial.id)
        return [trial_record(row) for row in session.execute(trials)] if preempted else []


def why_gone(
    run: RunRecord,
    now: datetime,
    alive: Alive = process_is_alive,
    heartbeat_timeout: float = HEARTBEAT_TIMEOUT,
) -> str | None:
    """Why an unended run's process must be gone; None when it seems to live."""
    if run.host == socket.gethostname():
        if alive(run.pid, run.process_started):
            return None
        return f"process {run.pid} on {run.host} is gone"
    silence = (now - run.heartbeat).total_seconds()
    if silence <= heartbeat_timeout:
        return None
    return f"no heartbeat from process {run.pid} on {run.host} for {silence:.0f} s"


def run_is_alive(run: RunRecord, now: datetime) -> bool:
    """Whether a run has not ended and its process seems to live."""
    return run.ended is None and why_gone(run, now) is None
