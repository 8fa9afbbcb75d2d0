"""What is done to whom, and when: the faults of a campaign, drawn by its seed."""

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

KILL, TERM, STOP = signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP


class Victim(StrEnum):
    """Who gets the signal."""

    DRIVER = "driver"
    GROUP = "driver's process group"
    WORKER = "worker"
    RAYLET = "raylet"
    HEAD = "head"
    SERVER = "PostgreSQL"
    BACKEND = "PostgreSQL backend"


class Sequel(StrEnum):
    """What becomes of a process that was stopped."""

    CONTINUED = "continued"
    KILLED = "killed"
    LEFT = "left"


@dataclass(frozen=True)
class Fault:
    """A signal to a process of a search.

    Attributes:
        victim, signal: who gets which.
        sequel: what follows SIGSTOP; empty for other signals.
        at_start: whether it comes while a driver starts, where none trains already.
        epochs: that many are recorded after the fault before.
        wait: seconds from then.
        seconds: how long the process is stopped, or the server is away.
    """

    victim: Victim
    signal: signal.Signals
    sequel: str = ""
    at_start: bool = False
    epochs: int = 1
    wait: float = 0.0
    seconds: float = 3.0

    def __str__(self) -> str:
        """In words."""
        after = f", {self.sequel} after {self.seconds:.1f} s" if self.sequel else ""
        return f"{self.signal.name} to {self.victim}{after}"


_OF_A_SEARCH = [
    *((Victim.WORKER, KILL, ""),) * 3,
    *((Victim.WORKER, TERM, ""),) * 2,
    *((Victim.WORKER, STOP, Sequel.CONTINUED), (Victim.WORKER, STOP, Sequel.KILLED)),
    (Victim.WORKER, STOP, Sequel.LEFT),
    *((Victim.DRIVER, KILL, ""), (Victim.DRIVER, TERM, "")),
    *((Victim.DRIVER, STOP, Sequel.CONTINUED), (Victim.DRIVER, STOP, Sequel.KILLED)),
    *((Victim.GROUP, number, "") for number in (KILL, TERM)),
    (Victim.GROUP, STOP, Sequel.CONTINUED),
    *((victim, number, "") for victim in (Victim.RAYLET, Victim.HEAD) for number in (KILL, TERM)),
    *((Victim.RAYLET, STOP, Sequel.CONTINUED), (Victim.RAYLET, STOP, Sequel.KILLED)),
    *((Victim.HEAD, STOP, Sequel.CONTINUED), (Victim.HEAD, STOP, Sequel.KILLED)),
]
_OF_POSTGRESQL = [
    *(
        (victim, number, "")
        for victim in (Victim.SERVER, Victim.BACKEND)
        for number in (KILL, TERM)
    ),
    *((victim, STOP, Sequel.CONTINUED) for victim in (Victim.SERVER, Victim.BACKEND)),
]
_AT_START = (Victim.DRIVER, Victim.GROUP, Victim.RAYLET, Victim.HEAD)


def faults(rng: random.Random, *, postgresql: bool) -> Iterator[Fault]:
    """Faults without end: every kind once, in random order, before any comes again."""
    kinds = [*_OF_A_SEARCH, *_OF_POSTGRESQL * 2] if postgresql else _OF_A_SEARCH
    while True:
        for victim, number, sequel in rng.sample(kinds, len(kinds)):
            yield Fault(
                victim,
                number,
                str(sequel),
                at_start=victim in _AT_START and rng.random() < 0.2,
                epochs=rng.randint(1, 4),
                wait=rng.uniform(0.0, 1.5),
                seconds=rng.uniform(1.0, 6.0),
            )
