"""The heartbeat of a run, from a thread; and watching whether those of hidden runs still move.

The age of a heartbeat is the difference of two clocks, either of which may have been set. Whether
it moves is not. A driver that takes a study over therefore watches before it ends a run.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Self

from search.store.records import RunRecord
from search.store.stale_runs import HEARTBEAT_TIMEOUT
from search.store.store import Store

INTERVAL = 5.0
_LOG = logging.getLogger(__name__)


class Heartbeat:
    """Beats for a run from a daemon thread until stopped; a context manager.

    A database error is logged once and the beat goes on; the runs of a database that is away
    for a while are not lost: nobody ends a run whose process can be seen to live.
    """

    def __init__(
        self,
        beat: Callable[[int], bool],
        run_id: int,
        *,
        interval: float = INTERVAL,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Does not start yet.

        Args:
            beat: says that a run is alive, False when it was ended: `store.runs.heartbeat`.
            run_id: the run to beat for.
            interval: seconds between beats.
            on_lost: called once, from the thread, when the run turns out to be ended by another.
        """
        self._say_alive = beat
        self._run_id = run_id
        self._interval = interval
        self._on_lost = on_lost
        self._stopped = threading.Event()
        self._failing = False
        self._answered = float("-inf")
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=30)  # until a beat under way has ended

    def answered_since(self, moment: float) -> bool:
        """Whether the store has taken a beat after a moment of `time.monotonic`."""
        return self._answered > moment

    def _beat(self) -> None:
        while not self._stopped.wait(self._interval):
            if not self._beat_once():
                _LOG.warning("run %d was ended by another process", self._run_id)
                if self._on_lost is not None:
                    self._on_lost()
                return

    def _beat_once(self) -> bool:
        """One beat; False when the run was ended."""
        try:
            alive = self._say_alive(self._run_id)
            self._answered = time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever it is, a silent heart is taken for dead
            if not self._failing:
                _LOG.warning("heartbeat of run %d: %s; trying on", self._run_id, error)
            self._failing = True
            return True
        if self._failing:
            _LOG.warning("heartbeat of run %d: the store answers again", self._run_id)
        self._failing = False
        return alive


_BEATS = 2
"""Intervals for which even an old heartbeat is watched."""
_LOOKS = 10
"""Looks at the store in each interval."""


def stalled_heartbeats(
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
