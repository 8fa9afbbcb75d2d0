"""Signals that ask a run to stop: Ctrl-C, and what preempts it.

Ray puts handlers of its own in place of those that it finds, and a handler in Python waits until
the main thread comes out of Ray. So a thread listens beside it: it hears of a signal at once.

A program that is asked twice, or does not come to its end, ends as a process. Where the process is
somebody else's, such as the kernel of a notebook, the work is cut short by an exception instead.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from search.driver.stop_request import StopKind, StopRequest
from search.program_signals import (
    SAME_SECONDS,
    CutShort,
    Interrupted,
    heeded,
    reason_of,
    send_again,
    sent_again_where_lost,
)

_PATIENCE = {signal.SIGINT: 30.0, signal.SIGTERM: 2.0, signal.SIGHUP: 2.0}
"""Seconds for cleaning up. `ray job stop` kills after 3; a person may press Ctrl-C again."""


class StopSignals:
    """Handles the signals of one run; made by `stopping_on_signals`."""

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self._raises = True
        self._works = self._cut = False

    def begin_work(self) -> None:
        """From here on a request is enough: the work looks at it. Call it after Ray's start."""
        self._raises, self._works = False, True
        self.install()

    def raise_again(self) -> None:
        """The next signal raises as the first did, which was lost."""
        self._raises = not self._works

    def end_work(self) -> None:
        """From here on nothing is raised: a Ray left amid its end takes its driver along."""
        self._works = False

    def install(self) -> None:
        """Put the handlers in place, again where somebody has put others there since."""
        for number in heeded():
            signal.signal(number, self._handle)

    def listen(self, source: int) -> None:
        """Turn the numbers that arrive at a pipe into requests until it is closed."""
        first: float | None = None
        while data := os.read(source, 1):
            if data[0] not in _PATIENCE:
                continue
            patience = _PATIENCE[signal.Signals(data[0])]
            is_first = self._stop.request(StopKind.INTERRUPT, reason_of(data[0]), patience)
            now = time.monotonic()
            if not is_first and (first is None or now - first > SAME_SECONDS):
                self._stop.hurried = True
            first = now if first is None else first

    def cut_short(self) -> None:
        """Raise `CutShort` amid the work in the main thread, as soon as it is in Python, once.

        Called from another thread. What waits in the system is woken for it.
        """
        self._cut = True
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, signal.SIGINT)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._raises and _amid_fork(frame):
            send_again(number)
        elif self._raises:
            self._raises = False  # once: what is left behind is cleaned up undisturbed
            raise Interrupted(number)
        if self._cut and self._works:
            self._works = False
            raise self._error()

    def _error(self) -> CutShort:
        return CutShort(self._stop.reason, asked=self._stop.kind == StopKind.INTERRUPT)

    @contextmanager
    def cutting_short(self) -> Iterator[None]:
        """Around all of it: what was cut short, or asked to be when it was too late, ends so.

        Of an error that a handler raises amid Ray, a KeyboardInterrupt without words comes out.

        Raises:
            CutShort: it was asked for.
        """
        try:
            yield
        except KeyboardInterrupt:
            if self._cut:
                raise self._error() from None
            raise
        if self._cut:
            raise self._error()


def _amid_fork(frame: FrameType | None) -> bool:
    """Whether a signal came while a process was forked, and Python runs the hooks behind that.

    What is raised in a hook is printed and lost, and the lock of logging, which it gives back, is
    nobody's to take any more.
    """
    return frame is not None and frame.f_code.co_name == "_releaseLock"


@contextmanager
def stopping_on_signals(stop: StopRequest) -> Iterator[StopSignals]:
    """Turn the first signal into a request, and the next into one to hurry.

    Until `begin_work` it also raises `Interrupted` in the main thread.

    Raises:
        CutShort: `cut_short` asked for it.
    """
    signals = StopSignals(stop)
    source, sink = os.pipe()
    os.set_blocking(sink, False)
    listener = threading.Thread(target=signals.listen, args=(source,), name="signals", daemon=True)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in heeded()}
    sink_before = signal.set_wakeup_fd(sink, warn_on_full_buffer=False)
    listener.start()
    signals.install()
    try:
        with signals.cutting_short(), sent_again_where_lost(signals.raise_again):
            yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(sink_before)
        os.close(sink)
        listener.join()
        os.close(source)
