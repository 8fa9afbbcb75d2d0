"""Watching whether runs that cannot be seen from here still beat, before a driver ends them.

The age of a heartbeat is the difference of two clocks, either of which may have been set. Whether
it moves is not.
"""

import time
from collections.abc import Callable
from datetime import datetime

from search.store.heartbeat import INTERVAL
from search.store.records import RunRecord
from search.store.stale_runs import HEARTBEAT_TIMEOUT
from search.store.store import Store

_BEATS = 2
"""Intervals for which even an old heartbeat is watched."""
_LOOKS = 10
"""Looks at the store in each interval."""


def standing_heartbeats(
    store: Store,
    study_id: int,
    *,
    say: Callable[[str], None],
    interval: float = INTERVAL,
    timeout: float = HEARTBEAT_TIMEOUT,
) -> dict[int, datetime]:
    """The heartbeats, by run, of the study's hidden runs that stand still; watches them first.

    Hidden are runs that have not ended and whose process cannot be seen from here. An old heartbeat
    is watched for two intervals, a fresh one until it is old. As soon as one moves, somebody works
    on the study, and nothing stands; nor where all of them end meanwhile.

    Args:
        store: of the study.
        study_id: its id.
        say: told once that there is something to wait for.
        interval: seconds between two beats of a live run.
        timeout: seconds after which a heartbeat that stands still is old.
    """
    watched = {run.id: (run, age) for run, age in store.runs.hidden(study_id)}
    if not watched:
        return {}
    seconds = max(patience(age, interval, timeout) for _, age in watched.values())
    say(_waiting(next(run for run, _ in watched.values()), seconds))
    before = {run.id: run.heartbeat for run, _ in watched.values()}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(interval / _LOOKS)
        now = {run.id: run.heartbeat for run, _ in store.runs.hidden(study_id)}
        if not now or any(heartbeat != before.get(run_id) for run_id, heartbeat in now.items()):
            return {}
    return before


def patience(age: float, interval: float, timeout: float) -> float:
    """For how many seconds to watch a heartbeat of this age, negative where clocks disagree."""
    return min(max(_BEATS * interval, timeout - age), timeout)


def _waiting(run: RunRecord, seconds: float) -> str:
    return (
        f"Watching for up to {seconds:.0f} s whether process {run.pid} on {run.host}, which cannot "
        "be seen from here, still works on this study ..."
    )
