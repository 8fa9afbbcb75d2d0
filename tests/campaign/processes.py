"""Processes, told apart by their start, and all that begin below a driver."""

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

_WORKER = re.compile(r"ray::\w*(?:Trainable|TrialWorker)")
_PRIVATE_RAY = re.compile(r"/\S*/mixspace-ray-\w+")


@dataclass(frozen=True)
class Process:
    """One process; another that gets its pid later is not equal to it.

    Attributes:
        pid: its number.
        started: clock ticks from the start of the machine to its own.
    """

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """The process of this pid; None where none runs, or one that waits to be collected."""
        fields = _stat(pid)
        return cls(pid, int(fields[19])) if fields and fields[0] not in "ZX" else None

    @property
    def alive(self) -> bool:
        """Whether it runs, or is stopped."""
        return Process.of(self.pid) == self

    @property
    def words(self) -> list[str]:
        """Its command line, or the title that it gave itself; empty once it is gone."""
        return [word for word in _read(self.pid, "cmdline").split("\0") if word]

    @property
    def program(self) -> str:
        """The name of its program."""
        return Path(self.words[0]).name if self.words else ""

    @property
    def trains(self) -> bool:
        """Whether it is a worker of Ray that has taken up a trial."""
        title = " ".join(self.words)
        return _WORKER.match(title) is not None

    def send(self, number: signal.Signals) -> bool:
        """Send it a signal; False when it is gone."""
        if not self.alive:
            return False
        os.kill(self.pid, number)
        return True


class Family:
    """All processes that begin below the drivers of a study, as far as they are seen in time.

    They are found by descent, and by a mark in the environment that those inherit that leave
    their parent. A process that sets its title may write over its environment.

    Args:
        mark: an assignment `NAME=value` in the environment of the drivers.
    """

    def __init__(self, mark: str) -> None:
        self._mark = mark
        self._strangers: set[Process] = set()
        self.members: set[Process] = set()
        self.folders: set[Path] = set()

    def look(self) -> None:
        """See who has come since."""
        parents = _parents()
        found = True
        while found:
            known = {member.pid for member in self.members}
            found = False
            for process, parent in parents.items():
                if process in self.members or (
                    parent not in known and not self._is_marked(process)
                ):
                    continue
                self.members.add(process)
                self.folders |= {Path(f) for f in _PRIVATE_RAY.findall(" ".join(process.words))}
                found = True

    @property
    def living(self) -> list[Process]:
        """Those who run, in the order of their birth."""
        alive = (process for process in self.members if process.alive)
        return sorted(alive, key=lambda process: (process.started, process.pid))

    def _is_marked(self, process: Process) -> bool:
        if process in self._strangers:
            return False
        environment = _read(process.pid, "environ")
        if self._mark in environment.split("\0"):
            return True
        if environment:  # none can be read yet of a program that is just being loaded
            self._strangers.add(process)
        return False


def children_of(process: Process) -> list[Process]:
    """The processes that it has started and not handed on."""
    return [child for child, parent in _parents().items() if parent == process.pid]


def _parents() -> dict[Process, int]:
    """The pid of the parent of every process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields and fields[0] not in "ZX":
            found[Process(int(entry.name), int(fields[19]))] = int(fields[1])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, the state first; empty where it is gone."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:  # gone, or of another user
        return ""
