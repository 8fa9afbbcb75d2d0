"""Waits for a store that is away where a run has nothing else to do meanwhile."""

import time
from collections.abc import Callable
from typing import TypeVar

from search.store import Store, StoreAway, open_store
from space.errors import InputError
from space.wording import duration

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_LOOK = 0.1
_T = TypeVar("_T")


def opened_again(url: str, *, create: bool) -> Store:
    """A store that was sound a while ago: what is wrong with it now may pass.

    Raises:
        StoreAway: it cannot be opened.
    """
    try:
        return open_store(url, create=create)
    except InputError as error:
        raise StoreAway("; ".join(map(str, error.problems))) from None


class StoreRetry:
    """Repeats calls to a store that is away, until it has been for too long.

    Args:
        seconds: for so long it may be away, over all calls in a row that it does not answer.
        stopped: whether nothing is to be waited for any more; asked all the time.
        say: tells a person what is waited for, once.
    """

    def __init__(
        self, seconds: float, stopped: Callable[[], bool], say: Callable[[str], None]
    ) -> None:
        self._seconds, self._stopped, self._say = seconds, stopped, say
        self._since: float | None = None

    def until_back(self, call: Callable[[], _T]) -> _T:
        """What the call gives; it is made again as long as the store is away.

        Raises:
            StoreAway: for too long, or a stop was asked for.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                found = call()
            except StoreAway as error:
                if not self._waits(error, pause):
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._since = None
                return found

    def _waits(self, error: StoreAway, pause: float) -> bool:
        """Wait a while; False when that makes no sense any more."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            if self._seconds and not self._stopped():
                self._say(f"Waiting {duration(self._seconds)} at most: {error}")
        until = min(now + pause, self._since + self._seconds)
        while time.monotonic() < until and not self._stopped():
            time.sleep(_LOOK)
        return not self._stopped() and time.monotonic() < self._since + self._seconds
