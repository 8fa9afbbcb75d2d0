"""Where the time of a run goes, by wrapping the methods that it is spent in."""

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Shares = dict[str, list[tuple[type, str]]]
"""Methods, each by its class and name, by the share that they count for."""


class Stopwatch:
    """Seconds by share, each without what is spent in another share inside it; and the ends.

    Attributes:
        seconds: by share, of the driver's thread.
        ends: when every trial ended, on the clock of time.perf_counter.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.ends: list[float] = []
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def timing(self, shares: Shares) -> Iterator[None]:
        """Count the calls of these methods, by share, for the length of a block."""
        with ExitStack() as stack:
            for share, methods in shares.items():
                for owner, name in methods:
                    wrapped = self._wrapped(share, getattr(owner, name))
                    stack.enter_context(patch.object(owner, name, wrapped))
            yield

    @contextmanager
    def noting_ends(self, owner: type, name: str) -> Iterator[None]:
        """Take every return of this method for the end of a trial, for the length of a block.

        What was counted before the first end, such as starting the workers, is forgotten.
        """
        method = getattr(owner, name)

        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self.ends.append(time.perf_counter())
            if len(self.ends) == 1:
                self.seconds.clear()
            return result

        with patch.object(owner, name, call):
            yield

    def _wrapped(self, share: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                return method(*args, **kwargs)  # such as the heartbeat
            self._switch()
            self._open.append(share)
            try:
                return method(*args, **kwargs)
            finally:
                self._switch()
                self._open.pop()

        return call

    def _switch(self) -> None:
        """Give the time since the last switch to the innermost open share."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


def public_methods(owner: type) -> list[tuple[type, str]]:
    """The methods of a class that others call, inherited ones included."""
    return [
        (owner, name)
        for name in dir(owner)
        if not name.startswith("_") and callable(getattr(owner, name))
    ]
