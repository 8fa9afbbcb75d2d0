"""Signals that end a program, as an exception: it cleans up, and says so in one line.

Light to import: a signal may come while the rest is still being imported.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from search.exit_code import ExitCode

SAME_SECONDS = 0.5
"""Signals so close are one: `timeout` sends one to its process, and one to the whole group."""

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal that came when no run was under way that has to be ended in order.

    Attributes:
        number: the signal's.
        reason: in words.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.reason = reason_of(number)
        super().__init__(self.reason)


class CutShort(KeyboardInterrupt):
    """A run is left as it is, in a process that must live on: a notebook, a prompt of Python.

    What it trained is in the store up to the last epoch that ended.

    Attributes:
        asked: whether a person or the system asked for it, by a signal.
    """

    def __init__(self, reason: str, *, asked: bool) -> None:
        self.asked = asked
        super().__init__(reason)


def reason_of(number: int) -> str:
    """What is said of a run that a signal ended."""
    return f"interrupted by {signal.Signals(number).name}"


def heeded() -> list[signal.Signals]:
    """The signals that ask for an end; without SIGHUP where `nohup` has it ignored."""
    deaf = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return [number for number in _ENDING if number != signal.SIGHUP or not deaf]


def send_again(number: int) -> None:
    """Send the main thread a signal once it has come out of where it is now."""
    main = threading.main_thread().ident
    again = threading.Timer(_AGAIN_SECONDS, lambda: signal.pthread_kill(main or 0, number))
    again.daemon = True
    again.start()


_AGAIN_SECONDS = 0.01


@contextmanager
def sent_again_where_lost(forget: Callable[[], None]) -> Iterator[None]:
    """A signal whose `Interrupted` could not be raised is sent again.

    Python prints and drops what is raised where nothing can be raised: in callbacks of weak
    references, which run amid imports, and in `__del__`.

    Args:
        forget: that the signal came, so that the next raises.
    """
    before = sys.unraisablehook

    def hook(lost: "sys.UnraisableHookArgs") -> None:
        if isinstance(lost.exc_value, Interrupted):
            forget()
            send_again(lost.exc_value.number)
        else:
            before(lost)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def interrupting_the_program() -> Iterator[None]:
    """Around a whole program: a signal raises `Interrupted`, the next one exits.

    Afterwards none is heard: all is said, and the process is about to exit.
    """
    first: float | None = None
    heard: Interrupted | None = None

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first, heard
        if first is None:
            first, heard = time.monotonic(), Interrupted(number)
            raise heard
        if time.monotonic() - first > SAME_SECONDS:
            os._exit(ExitCode.INTERRUPTED)

    def forget() -> None:
        nonlocal first, heard
        first = heard = None

    numbers = heeded()
    for number in numbers:
        signal.signal(number, handle)
    try:
        with sent_again_where_lost(forget):
            yield
    except Exception as error:
        # What a signal raises amid the making of a class comes out as an error of that.
        if heard is not None:
            raise heard from error
        raise
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
