"""The last line of a run that was not done: why, and how to go on. It is said once."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress


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
        self._lock = threading.Lock()

    def lines(self, reason: str) -> list[str]:
        """What would be said."""
        return list(self._advice(" ".join(reason.split())))

    def say(self, reason: str) -> None:
        """Say it, unless it was said."""
        with self._lock:
            if self.said:
                return
            self.said = True
            for line in self.lines(reason):
                with suppress(OSError):  # the terminal may be what is gone
                    self._say(line)
            self.over = True
