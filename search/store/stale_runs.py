"""Stale runs: not ended, and without a process. Telling so changes nothing.

Trials that a stale run left open are preempted for whoever reads. Only the driver that takes the
study over writes this down; until then whoever shows states, counts them or filters by them does
it through `effective`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, literal
from sqlalchemy.sql.visitors import replacement_traverse

from search.store.database import store_time
from search.store.models import RunRow, TrialRow
from search.store.process import Liveness, liveness_of
from search.store.records import RunRecord
from search.store.statements import RUNS, table_of
from search.trial_states import OPEN, TrialState

HEARTBEAT_TIMEOUT = 60.0
"""Seconds without a heartbeat after which a run that cannot be seen from here counts as stale."""

StaleRuns = Mapping[int, str]
"""Why runs are stale, by their ids."""

_TRIALS = table_of(TrialRow)
PREEMPTED = literal(TrialState.PREEMPTED, _TRIALS.c.state.type)


def stale_runs(connection: Connection, runs: Iterable[RunRecord] | None = None) -> StaleRuns:
    """Those of the runs that never ended and whose process is gone, with the reason.

    Args:
        connection: of a transaction.
        runs: among which to look; None is all.
    """
    found = unended_runs(connection) if runs is None else [run for run in runs if run.ended is None]
    if not found:
        return {}
    now = store_time(connection)
    reasons = {run.id: why_stale(run, now) for run in found}
    return {run_id: reason for run_id, reason in reasons.items() if reason is not None}


def unended_runs(connection: Connection) -> list[RunRecord]:
    """The runs of all studies that have not ended, stale or not."""
    query = RUNS.where(RunRow.ended.is_(None)).order_by(RunRow.id)
    return [RunRecord(*row) for row in connection.execute(query)]


def why_stale(run: RunRecord, now: datetime) -> str | None:
    """Why an unended run's process must be gone; None when it seems to live.

    Where the process can be seen, that decides, however old the heartbeat is, as clocks are set
    and stores are slow. Where it cannot, the heartbeat does.
    """
    liveness = liveness_of(run.process)
    if liveness is Liveness.GONE:
        return f"process {run.pid} on {run.host} is gone"
    silence = (now - run.heartbeat).total_seconds()
    if liveness is Liveness.RUNS or silence <= HEARTBEAT_TIMEOUT:
        return None
    return silent(run, silence)


def why_over(run: RunRecord, now: datetime, stalled: datetime | None) -> str | None:
    """Why an unended run is over for certain; None where it may live.

    Args:
        run: not ended.
        now: by the clock of its heartbeats.
        stalled: its heartbeat, where that was watched and stands still; None where nobody did.
    """
    if liveness_of(run.process) is not Liveness.HIDDEN:
        return why_stale(run, now)
    if run.heartbeat != stalled:
        return None
    return silent(run, (now - run.heartbeat).total_seconds())


def silent(run: RunRecord, seconds: float) -> str:
    """The reason of a run whose heartbeat stands still."""
    return f"no heartbeat from process {run.pid} on {run.host} for {seconds:.0f} s"


def effective(expression: Any, stale: StaleRuns) -> Any:
    """A column of trials, or a condition on them, with states and reasons as readers see them.

    Args:
        expression: such as `Trial.state`, or a where-clause.
        stale: as `store.runs.stale` gives it.
    """
    if not stale:
        return expression
    left = left_open(stale)
    why = case(dict(stale), value=_TRIALS.c.run_id)
    seen = {
        "state": case((left, PREEMPTED), else_=_TRIALS.c.state),
        "reason": case((left, why), else_=_TRIALS.c.reason),
    }

    def instead(element: Any, **_: Any) -> Any:
        is_of_trials = getattr(element, "table", None) is _TRIALS
        return seen.get(element.key) if is_of_trials else None

    return replacement_traverse(expression.expression, {}, instead)


def left_open(stale: StaleRuns) -> Any:
    """The condition of the trials that these runs left open."""
    return _TRIALS.c.run_id.in_(stale) & _TRIALS.c.state.in_(OPEN)
