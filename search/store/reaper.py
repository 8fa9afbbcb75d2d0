"""The reaper: ends runs whose process is gone, so that no trial stays running without one."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.store.connection import writes
from search.store.liveness import Liveness, silent, why_gone
from search.store.mapping import RUN_COLUMNS, TRIAL_COLUMNS, trial_record
from search.store.models import Run, Trial
from search.store.records import RunRecord, TrialRecord
from search.store.runs import close_run
from search.store.sight import Sight, look_at


class Reaper(Liveness):
    """The part of the store by which a driver takes a study over."""

    @writes
    def reap(
        self,
        session: Session,
        study_id: int,
        *,
        standing: Mapping[int, datetime] | None = None,
    ) -> list[TrialRecord]:
        """Ends the study's runs whose process is gone; preempts their open trials, with the reason.

        Only for the driver that takes the study over; `gone_runs` tells readers the same. Doing it
        twice, or in two processes at once, changes nothing more.

        Args:
            study_id: of the study.
            standing: of runs whose process cannot be seen from here, the heartbeats that have been
                watched and stand still, as `standing_heartbeats` gives them. Such a run ends if
                its heartbeat is still this one; all others that cannot be seen are left alone.

        Returns:
            The trials that this call preempted.
        """
        now = self._now(session)
        mine = select(*RUN_COLUMNS).where(Run.ended.is_(None), Run.study_id == study_id)
        locked = mine.order_by(Run.id).with_for_update(key_share=True)
        preempted: list[int] = []
        for run in [RunRecord(*row) for row in session.execute(locked)]:
            reason = _why_over(run, now, (standing or {}).get(run.id))
            if reason is not None:
                preempted += close_run(session, run.id, reason, now)
        trials = select(*TRIAL_COLUMNS).where(Trial.id.in_(preempted)).order_by(Trial.id)
        return [trial_record(row) for row in session.execute(trials)] if preempted else []


def _why_over(run: RunRecord, now: datetime, standing: datetime | None) -> str | None:
    """Why an unended run is over for certain; None where it may live."""
    if look_at(run.process) is not Sight.HIDDEN:
        return why_gone(run, now)
    if run.heartbeat != standing:
        return None
    return silent(run, (now - run.heartbeat).total_seconds())
