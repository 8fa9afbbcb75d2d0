"""How far work is, as a bar in a terminal or a notebook; or nothing but a log."""

import logging
import sys
import threading
import time
import warnings
from contextlib import suppress
from typing import Any, Protocol

from tqdm import TqdmExperimentalWarning, TqdmWarning

from search.cli.progress_line import words_of
from search.driver.study_progress import Progress

with warnings.catch_warnings():
    # In a notebook without ipywidgets the bar is text, and the warning is no use to who reads it.
    warnings.simplefilter("ignore", TqdmWarning)
    warnings.simplefilter("ignore", TqdmExperimentalWarning)
    from tqdm.auto import tqdm

_SECONDS, _PLAIN_SECONDS = 0.5, 5.0
"""Between two states of the bar: where it is drawn anew, and in a file, which keeps them all."""
_LOG = logging.getLogger("mixspace")
_UNREAD = suppress(OSError, ValueError)  # ValueError: it was closed


class Teller(Protocol):
    """Tells a person of a run."""

    def say(self, text: str) -> None:
        """A line."""

    def say_last(self, text: str) -> None:
        """A line after which no progress is shown; may come from any thread."""

    def show(self, progress: Progress) -> None:
        """How far it is."""

    def close(self) -> None:
        """Nothing more is shown."""


class Step(Protocol):
    """How far a training is: `step` of its steps are made."""

    @property
    def step(self) -> int: ...


class Log:
    """Lines go to the log "mixspace", where they are seen only on request."""

    def say(self, text: str) -> None:
        """A line of the level info."""
        _LOG.info("%s", text)

    say_last = say

    def show(self, progress: Progress) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class ProgressBar:
    """A bar of tqdm over the planned trials; lines stand above it, on stderr.

    A stderr that does not take them, as its reader has left or its disk is full, ends no search.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._said = ("", 0.0)
        self._lock = threading.RLock()
        self._over = False
        drawn_anew = sys.stderr.isatty() or "ipykernel" in sys.modules
        self._seconds = _SECONDS if drawn_anew else _PLAIN_SECONDS

    def say(self, text: str) -> None:
        """A line."""
        with _UNREAD:
            tqdm.write(text, file=sys.stderr)

    def say_last(self, text: str) -> None:
        """A line after which the bar stands still; may come from any thread."""
        with self._lock:
            self.close()
            self.say(text)

    def show(self, progress: Progress) -> None:
        """Renew the bar."""
        with self._lock, _UNREAD:
            if not self._over:
                self._show(progress)

    def close(self) -> None:
        """Leave the last state of the bar standing."""
        with self._lock:
            self._over = True
            bar, self._bar = self._bar, None
            with _UNREAD:
                if bar is not None:
                    bar.close()

    def _show(self, progress: Progress) -> None:
        planned, ended = progress.planned, progress.ended
        if self._bar is None:
            options = {"unit": "trial", "mininterval": self._seconds}
            self._bar = tqdm(total=planned, initial=ended, **options)
        words, now = " · ".join(words_of(progress)), time.monotonic()
        before, when = self._said
        self._bar.total = planned
        self._bar.set_postfix_str(words, refresh=False)
        self._bar.update(ended - self._bar.n)
        if words != before and (now - when > self._seconds or ended == planned):
            self._bar.refresh()
            self._said = (words, now)


class StepBar:
    """A bar of tqdm over the steps of a training, of one training after the other.

    Args:
        shown: whether a person sees it; else lines go to the log "mixspace".
    """

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._bar: Any = None

    def say(self, text: str) -> None:
        """A line, above the bar."""
        with _UNREAD:
            if self._shown:
                tqdm.write(text, file=sys.stderr)
            else:
                _LOG.info("%s", text)

    def report(self, progress: "Step", steps: int, loss: float) -> None:
        """A step was made."""
        if not self._shown:
            return
        with _UNREAD:
            if self._bar is None or progress.step <= self._bar.n:  # another training
                self._close()
                self._bar = tqdm(total=steps, initial=progress.step - 1, unit="step")
            self._bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            self._bar.update(progress.step - self._bar.n)

    def __enter__(self) -> "StepBar":
        return self

    def __exit__(self, *error: object) -> None:
        with _UNREAD:
            self._close()

    def _close(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
