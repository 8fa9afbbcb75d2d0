"""Stopping on request: Ctrl-C, SIGTERM, a time limit, or another driver that took over."""

import threading
import time
from enum import StrEnum

from search.exit_code import ExitCode


class StopKind(StrEnum):
    """Why a run stops before its study is complete."""

    INTERRUPT = "interrupted"
    TIME_LIMIT = "time limit"
    DEVICE_BUDGET = "device budget"
    LOST = "lost"
    FAULT = "fault"
    """Of the data or the surroundings: every other trial would meet it."""
    STORE = "store"
    """It was away for longer than the configuration has patience."""


_EXIT_CODES: dict[StopKind | None, ExitCode] = {
    StopKind.INTERRUPT: ExitCode.INTERRUPTED,
    StopKind.TIME_LIMIT: ExitCode.BUDGET,
    StopKind.DEVICE_BUDGET: ExitCode.BUDGET,
}
"""All others are failures."""

ALWAYS_HEARD = frozenset({StopKind.INTERRUPT, StopKind.STORE})
"""A run ends by these also when nothing is left to train: others come too late for it then."""

_PATIENCE = 60.0


class StopRequest:
    """Remembers the first reason to stop; asked by the runner between two events.

    Attributes:
        kind: None as long as nothing is asked for.
        reason: in words, as it is written into the store.
        patience: seconds that the run has to clean up by itself.
        hurried: whether it has to end without that; set by whoever knows.

    Args:
        time_limit: seconds until the run stops by itself, None for no limit.
    """

    def __init__(self, time_limit: float | None = None) -> None:
        self.kind: StopKind | None = None
        self.reason = ""
        self.patience = _PATIENCE
        self.hurried = False
        self._limit = time_limit
        self._deadline = None if time_limit is None else time.monotonic() + time_limit
        self._lock = threading.Lock()

    def request(self, kind: StopKind, reason: str, patience: float = _PATIENCE) -> bool:
        """Ask for a stop, from any thread; only the first request counts. Whether this was it."""
        with self._lock:
            if self.kind is not None:
                return False
            self.reason, self.patience = reason, patience
            self.kind = kind  # last: whoever sees it may read the others
            return True

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told; a failure as long as no stop was asked for."""
        return _EXIT_CODES.get(self.kind, ExitCode.FAILED)

    def lift_time_limit(self) -> None:
        """The work is done: no limit is reached any more."""
        self._deadline = None

    def requested(self) -> bool:
        """Whether to stop now."""
        deadline = self._deadline
        if deadline is not None and time.monotonic() > deadline:
            self.request(StopKind.TIME_LIMIT, f"the time limit of {self._limit:g} s was reached")
        return self.kind is not None
