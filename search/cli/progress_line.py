"""One line on stderr that says how far a run is."""

import threading
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from search.driver.study_progress import Progress
from search.store import TrialState
from space.wording import duration, percent

_PLAIN_SECONDS = 5.0
_IDLE_SECONDS = 30.0


def words_of(progress: Progress) -> list[str]:
    """How the trials are that are there, and what the best of them is."""
    parts = []
    for state in (TrialState.RUNNING, TrialState.PRUNED, TrialState.FAILED):
        if progress.counts[state] or state != TrialState.FAILED:
            parts.append(f"{progress.counts[state]} {state}")
    if progress.counts[TrialState.INFEASIBLE]:
        parts.append(f"{progress.counts[TrialState.INFEASIBLE]} infeasible")
    if progress.reused:
        parts.append(f"{progress.reused} reused")
    if progress.spent is not None:
        parts.append(progress.spent)
    if progress.best is not None:
        how = ", by its best epoch" if progress.optimistic else ""
        parts.append(f"best {percent(progress.best)} ({progress.best_name}{how})")
    return parts


class ProgressLine:
    """Redraws one line on a terminal; elsewhere prints a line every few seconds if it changed.

    Args:
        console: where to write; stderr unless told otherwise.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._started: float | None = None
        self._ended_before = 0
        self._last = ("", float("-inf"))
        self._lock = threading.RLock()
        self._over = False

    def say(self, text: str) -> None:
        """A line of its own, above the progress line."""
        self._console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def say_last(self, text: str) -> None:
        """A line after which nothing is shown any more; may be called from any thread."""
        with self._lock:
            self._over = True
            self.close()
            self.say(text)

    def show(self, progress: Progress) -> None:
        """Renew the line."""
        with self._lock:
            if not self._over:
                self._show(progress)

    def _show(self, progress: Progress) -> None:
        if self._started is None:
            self._started, self._ended_before = time.monotonic(), progress.ended
        text = self._text(progress)
        if self._console.is_terminal:
            self._redraw(text)
        else:
            self._print(text)

    def close(self) -> None:
        """Leave the last state of the line standing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _text(self, progress: Progress) -> str:
        parts = [f"{progress.ended}/{progress.planned} trials done", *words_of(progress)]
        if (left := self._time_left(progress)) is not None and left > 0:
            parts.append(f"about {duration(left)} left")
        return " · ".join(parts)

    def _time_left(self, progress: Progress) -> float | None:
        """From the pace of this run; unknown until a few trials were trained in it."""
        ended = progress.ended - self._ended_before - progress.reused
        if self._started is None or ended < 3:
            return None
        elapsed = time.monotonic() - self._started
        return elapsed / ended * (progress.planned - progress.ended)

    def _redraw(self, text: str) -> None:
        # In ASCII an ellipsis takes three places, and the line would break.
        narrow = self._console.options.ascii_only
        line = Text(text, no_wrap=True, overflow="crop" if narrow else "ellipsis")
        if self._live is None:
            self._live = Live(line, console=self._console, refresh_per_second=4)
            self._live.start()
        self._live.update(line)

    def _print(self, text: str) -> None:
        before, when = self._last
        passed = time.monotonic() - when
        if passed >= _IDLE_SECONDS or (passed >= _PLAIN_SECONDS and text != before):
            self.say(text)
            self._last = (text, time.monotonic())
