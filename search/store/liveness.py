"""Which runs are gone: not ended, and without a process. Telling so changes nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.store.connection import Connected, reads
from search.store.mapping import RUN_COLUMNS
from search.store.models import Run
from search.store.records import RunRecord
from search.store.sight import Sight, look_at

HEARTBEAT_TIMEOUT = 60.0
"""Seconds without a heartbeat after which a run that cannot be seen from here counts as gone."""

Gone = Mapping[int, str]
"""Why runs are gone, by their ids."""


class Liveness(Connected):
    """The part of the store that tells live runs from those whose process is gone."""

    @reads
    def gone_runs(self, session: Session) -> Gone:
        """The runs that never ended and whose process is gone, with the reason."""
        return self._gone(session)

    @reads
    def hidden_runs(self, session: Session, study_id: int) -> list[tuple[RunRecord, float]]:
        """The study's runs that have not ended and whose process cannot be seen from here.

        Each with the age of its heartbeat in seconds: negative where clocks disagree.
        """
        runs = [run for run in _unended(session) if run.study_id == study_id]
        hidden = [run for run in runs if look_at(run.process) is Sight.HIDDEN]
        if not hidden:
            return []
        now = self._now(session)
        return [(run, (now - run.heartbeat).total_seconds()) for run in hidden]

    def _gone(self, session: Session) -> Gone:
        return self._gone_of(session, _unended(session))

    def _gone_of(self, session: Session, runs: Iterable[RunRecord]) -> Gone:
        """Those of the runs that are gone."""
        unended = [run for run in runs if run.ended is None]
        if not unended:
            return {}
        now = self._now(session)
        reasons = {run.id: why_gone(run, now) for run in unended}
        return {run_id: reason for run_id, reason in reasons.items() if reason is not None}


def _unended(session: Session) -> list[RunRecord]:
    query = select(*RUN_COLUMNS).where(Run.ended.is_(None)).order_by(Run.id)
    return [RunRecord(*row) for row in session.execute(query)]


def why_gone(run: RunRecord, now: datetime) -> str | None:
    """Why an unended run's process must be gone; None when it seems to live.

    Where the process can be seen, that decides, however old the heartbeat is, as clocks are set
    and stores are slow. Where it cannot, the heartbeat does.
    """
    sight = look_at(run.process)
    if sight is Sight.GONE:
        return f"process {run.pid} on {run.host} is gone"
    silence = (now - run.heartbeat).total_seconds()
    if sight is Sight.RUNS or silence <= HEARTBEAT_TIMEOUT:
        return None
    return silent(run, silence)


def silent(run: RunRecord, seconds: float) -> str:
    """The reason of a run whose heartbeat stands still."""
    return f"no heartbeat from process {run.pid} on {run.host} for {seconds:.0f} s"
