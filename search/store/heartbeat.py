"""The heartbeat: a thread that says every few seconds that the driver lives."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

INTERVAL = 5.0
_LOG = logging.getLogger(__name__)


class Beating(Protocol):
    """What the heartbeat needs of `store.runs`."""

    def heartbeat(self, run_id: int) -> bool:
        """Says that the run is alive; False when it was ended."""
        ...


class Heartbeat:
    """Beats for a run from a daemon thread until stopped; a context manager.

    A database error is logged once and the beat goes on; the runs of a database that is away
    for a while are not lost: nobody ends a run whose process can be seen to live.
    """

    def __init__(
        self,
        runs: Beating,
        run_id: int,
        *,
        interval: float = INTERVAL,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Does not start yet.

        Args:
            runs: of the store.
            run_id: the run to beat for.
            interval: seconds between beats.
            on_lost: called once, from the thread, when the run turns out to be ended by another.
        """
        self._runs = runs
        self._run_id = run_id
        self._interval = interval
        self._on_lost = on_lost
        self._stopped = threading.Event()
        self._failing = False
        self._answered = float("-inf")
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> Self:
        """Starts to beat."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops, and waits until a beat under way has ended."""
        self._stopped.set()
        self._thread.join(timeout=30)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

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
            alive = self._runs.heartbeat(self._run_id)
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
