"""Trials that are not heard of: those that have hung, and those that no worker takes up."""

import time
from collections.abc import Callable, Mapping

from search.runner.live_trial import LiveTrial
from space.wording import count, duration

_PAUSE = 2.0
"""Seconds between two looks at the trials from which on this process itself stood still."""
_LONG_WAIT = 120.0
"""Seconds after which it is said that no worker begins."""


class Silence:
    """Looks at trials that are handed out for signs of life.

    Args:
        live: the trials by number, as they are at each look.
        limit: seconds without a sign of life from which on a trial has hung; None never.
        say: tells a person that nothing begins.
    """

    def __init__(
        self, live: Mapping[int, LiveTrial], limit: float | None, say: Callable[[str], None]
    ) -> None:
        self._live, self._limit, self._say = live, limit, say
        self._looked = time.monotonic()
        self._told_of_waiting = False

    def look(self) -> list[int]:
        """To be called all the time; the numbers of those that have hung."""
        self._forgive_own_pause()
        self._tell_of_waiting()
        if self._limit is None:
            return []
        return [n for n, live in self._live.items() if live.silent_for() > self._limit]

    def _forgive_own_pause(self) -> None:
        """While this process stood still, or waited for the store, it could not hear of trials."""
        now = time.monotonic()
        pause, self._looked = now - self._looked, now
        if pause > _PAUSE:
            for live in self._live.values():
                live.forgive(pause)

    def _tell_of_waiting(self) -> None:
        """Say once that nothing begins: no node has room, or workers hang at their start."""
        if self._told_of_waiting or any(live.sign_of_life for live in self._live.values()):
            return
        longest = max((live.waited_for() for live in self._live.values()), default=0.0)
        if longest > _LONG_WAIT:
            self._told_of_waiting = True
            waiting = count(len(self._live), "trial")
            why = "no node has room, or no worker starts"
            self._say(f"{waiting} waiting for a worker since {duration(longest)}: {why}")
