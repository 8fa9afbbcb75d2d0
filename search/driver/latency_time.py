"""How long measuring parts and networks takes: at most, beforehand, and then as it goes."""

from collections.abc import Callable
from time import monotonic

from space.wording import count, duration
from trainers.latency import Effort, LatencySpec
from trainers.latency.measuring import NETWORK, PART

SAY_EVERY = 15.0
"""Seconds between two lines, and left of what is worth one."""
_MADE_BY = {"compile": "compiling", "onnxruntime": "exporting"}


def at_most(parts: int, networks: int) -> float:
    """Seconds that so many parts and whole networks take at most, on a quiet machine.

    While a machine is not quiet it is waited for, and things are measured again.
    """
    return parts * _of_one(PART) + networks * _of_one(NETWORK)


def _of_one(effort: Effort) -> float:
    return effort.warm_seconds + effort.seconds


def beforehand(parts: int, networks: int, spec: LatencySpec) -> str:
    """Such as "400 parts and 15 whole networks, at most 10 min on a quiet machine"."""
    things = [(parts, "part"), (networks, "whole network")]
    wanted = " and ".join(count(number, thing) for number, thing in things if number)
    made = _MADE_BY.get(spec.runtime)
    beside = "" if made is None else f", beside {made} each of them"
    return f"{wanted}, at most {duration(at_most(parts, networks))} on a quiet machine{beside}"


class TimeLeft:
    """Says now and then how many of several things are measured, and how long the others take.

    Args:
        total: of them. thing: what one is. say: told.
        together: so many are measured in turns, so that their figures come at once.
    """

    def __init__(
        self, total: int, thing: str, say: Callable[[str], None], *, together: int
    ) -> None:
        self._total, self._thing, self._say, self._together = total, thing, say, together
        self._began = self._said = monotonic()

    def measured(self, done: int) -> None:
        """So many are, by now."""
        if done % self._together or done >= self._total:
            return
        now = monotonic()
        left = (now - self._began) / done * (self._total - done)
        is_first = self._said == self._began and left > SAY_EVERY
        if not is_first and now - self._said <= SAY_EVERY:
            return
        self._said = now
        words = count(self._total, self._thing)
        self._say(f"Latency: {done:,} of {words} measured, about {duration(left)} left ...")
