"""One line on stderr that says how far a run is."""

import threading
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from search.runner.stand import Stand
from search.store import TrialState
from space.wording import duration, percent

_PLAIN_SECONDS = 5.0
_IDLE_SECONDS = 30.0


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

    def show(self, stand: Stand) -> None:
        """Renew the line."""
        with self._lock:
            if not self._over:
                self._show(stand)

    def _show(self, stand: Stand) -> None:
        if self._started is None:
            self._started, self._ended_before = time.monotonic(), stand.ended
        text = self._text(stand)
        if self._console.is_terminal:
            self._redraw(text)
        else:
            self._print(text)

    def close(self) -> None:
        """Leave the last state of the line standing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _text(self, stand: Stand) -> str:
        parts = [f"{stand.ended}/{stand.planned} trials done"]
        for state in (TrialState.RUNNING, TrialState.PRUNED, TrialState.FAILED):
            if stand.counts[state] or state != TrialState.FAILED:
                parts.append(f"{stand.counts[state]} {state}")
        if stand.counts[TrialState.INFEASIBLE]:
            parts.append(f"{stand.counts[TrialState.INFEASIBLE]} infeasible")
        if stand.reused:
            parts.append(f"{stand.reused} reused")
        if stand.best is not None:
            how = ", by its best epoch" if stand.optimistic else ""
            parts.append(f"best {percent(stand.best)} ({stand.best_name}{how})")
        if (left := self._time_left(stand)) is not None and left > 0:
            parts.append(f"about {duration(left)} left")
        return " · ".join(parts)

    def _time_left(self, stand: Stand) -> float | None:
        """From the pace of this run; unknown until a few trials were trained in it."""
        ended = stand.ended - self._ended_before - stand.reused
        if self._started is None or ended < 3:
            return None
        elapsed = time.monotonic() - self._started
        return elapsed / ended * (stand.planned - stand.ended)

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
