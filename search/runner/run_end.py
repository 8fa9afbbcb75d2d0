"""Ends a run as soon as a stop is asked for, before Ray has cleaned up, and sees that it ends."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, Self

from search.driver.stop_request import ALWAYS_HEARD, StopRequest
from search.exit_code import ExitCode
from search.ray_executor.watchdog import Watchdog
from space.surface import surface

_INTERVAL = 0.05
_STORE_SECONDS = 1.5
_SECONDS = 1.5
"""For so long they keep a run that ends from going on; nobody may read the pipe they go to."""


def _same_command(reason: str) -> list[str]:
    resume = surface().given("resume", True)
    return [f"Stopped: {reason}. To go on, {surface().again}, with {resume}."]


class ExitMessage:
    """Says how a run ended, from whichever thread comes first.

    Attributes:
        said: whether it is, or is being said.
        over: whether it is, and nothing shall follow.
        recorded: whether the store has what the run was asked for; advice may look at it.

    Args:
        say: writes a line.
        advice: the lines for a reason; the last of them says how to go on.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        advice: Callable[[str], Sequence[str]] = _same_command,
    ) -> None:
        self.said = self.over = self.recorded = False
        self._say, self._advice = say, advice
        self._lock, self._out = threading.Lock(), threading.Event()

    def lines(self, reason: str) -> list[str]:
        """What would be said."""
        return list(self._advice(" ".join(reason.split())))

    def say(self, reason: str) -> bool:
        """Say it, unless it was said; whether it is out, see `wait`."""
        with self._lock:
            is_first, self.said = not self.said, True
        if is_first:
            threading.Thread(target=self._tell, args=(reason,), daemon=True).start()
        return self.wait()

    def wait(self) -> bool:
        """Wait until what is being said is out; False when nobody takes it within seconds.

        Then whatever else this process writes there would wait as well, and so would its exit.
        """
        return self._out.wait(_SECONDS)

    def _tell(self, reason: str) -> None:
        try:
            for line in self.lines(reason):
                with suppress(OSError):  # the terminal may be what is gone
                    self._say(line)
        finally:
            self.over = True
            self._out.set()


class RunEnd:
    """Looks after the end of a run from a thread of its own; a context manager.

    What preempts a run leaves it seconds, and Ray Tune takes longer than that to clean up. So the
    end is written into the store and said at once. What workers report later is still recorded.

    Args:
        stop: looked at all the time.
        exit_message: said when a stop is asked for.
        give_up: called once, from that thread, when the run does not end in time or is to hurry;
            None ends the process.

    Attributes:
        end_run: writes the end of the run for a reason, and may be called more than once; None
            while there is no run.
        nothing_left: whether a stop changes nothing any more: then nothing is said of it.
        watchdog: told when the words are said.
    """

    def __init__(
        self,
        stop: StopRequest,
        exit_message: ExitMessage,
        give_up: Callable[[], None] | None = None,
    ) -> None:
        self._stop, self._exit_message, self._give_up = stop, exit_message, give_up
        self.watchdog: Watchdog | None = None
        self.end_run: Callable[[str], None] | None = None
        self.nothing_left: Callable[[], bool] = lambda: False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="end of the run", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        unread = self._exit_message.said and not self._exit_message.wait()
        if unread and self._give_up is None:
            leave(self._stop.exit_code)

    def _look(self) -> None:
        while not self._stop.requested():
            if self._over.wait(_INTERVAL):
                return
        deadline = time.monotonic() + self._stop.patience
        if self._stop.kind in ALWAYS_HEARD or not self.nothing_left():
            self._tell()
        while not self._over.wait(_INTERVAL):
            if self._stop.hurried or time.monotonic() > deadline:
                self._tell()
                if self._give_up is None:
                    leave(self._stop.exit_code)
                self._give_up()
                return

    def _tell(self) -> None:
        """Write why the run ends, and say it; the second time does nothing."""
        if self._exit_message.said:
            return
        self._write()
        self._exit_message.say(self._stop.reason)
        if self.watchdog is not None:
            self.watchdog.tell(said=True, reason=self._stop.reason)

    def _write(self) -> None:
        """Write the end down; a store that is away does not keep the words back."""
        if self.end_run is None:
            return
        writing = threading.Thread(target=self.end_run, args=(self._stop.reason,), daemon=True)
        writing.start()
        writing.join(_STORE_SECONDS)


def leave(code: ExitCode) -> NoReturn:
    """End this process: Ray may never return, and a pipe may never be read.

    Its processes are the watchdog's to end.
    """
    os._exit(code)
