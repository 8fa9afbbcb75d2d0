"""Stopping on request: Ctrl-C, SIGTERM, a time limit, or another driver that took over."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import FrameType
from typing import Any


class StopKind(StrEnum):
    """Why a run stops before its study is complete."""

    INTERRUPT = "interrupted"
    TIME_LIMIT = "time limit"
    LOST = "lost"
    FAULT = "fault"
    """Of the data or the surroundings: every other trial would meet it."""
    STORE = "store"
    """It was away for longer than the configuration has patience."""


class StopRequest:
    """Remembers the first reason to stop; asked by the runner between two events.

    Args:
        time_limit: seconds until the run stops by itself, None for no limit.
    """

    def __init__(self, time_limit: float | None = None) -> None:
        self.kind: StopKind | None = None
        self.reason = ""
        self._limit = time_limit
        self._deadline = None if time_limit is None else time.monotonic() + time_limit

    def request(self, kind: StopKind, reason: str) -> None:
        """Ask for a stop; only the first request counts."""
        if self.kind is None:
            self.kind, self.reason = kind, reason

    def requested(self) -> bool:
        """Whether to stop now."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.request(StopKind.TIME_LIMIT, f"the time limit of {self._limit:g} s was reached")
        return self.kind is not None


@contextmanager
def stopping_on_signals(stop: StopRequest) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a request; the second interrupts at once."""

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.kind is not None:
            raise KeyboardInterrupt
        stop.request(StopKind.INTERRUPT, f"interrupted by {signal.Signals(number).name}")

    before: dict[int, Any] = {}
    for number in (int(signal.SIGINT), int(signal.SIGTERM)):
        before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
