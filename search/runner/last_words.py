"""The last line of a run that was not done: why, and how to go on. It is said once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

_SECONDS = 1.5
"""For so long they keep a run that ends from going on; nobody may read the pipe they go to."""


def _same_command(reason: str) -> list[str]:
    return [f"Stopped: {reason}. To go on, run the same command with --resume."]


class LastWords:
    """Says how a run ended, from whichever thread comes first.

    Attributes:
        said: whether it is, or is being said.
        over: whether it is, and nothing shall follow.
        taken_up: whether the store has what the run was asked for; advice may look at it.

    Args:
        say: writes a line.
        advice: the lines for a reason; the last of them says how to go on.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        advice: Callable[[str], Sequence[str]] = _same_command,
    ) -> None:
        self.said = self.over = self.taken_up = False
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
