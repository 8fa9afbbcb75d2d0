"""Naming a process so that no other is ever taken for it, and looking whether it still runs."""

import os
import socket
import subprocess
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Self

_SAME_SECONDS = 2.0
"""Two readings of one start time differ by rounding, and by what the clock was set by."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """What tells a process from every other, on whatever machine it runs.

    Attributes:
        host: its machine's name, for people: containers share theirs, and machines are renamed.
        pid: its number, which means something in its PID namespace only, and is used again.
        process_started: when it began, in seconds since 1970, by a clock that may be set since.
        boot_id: names its kernel, from its start to its end; None where there is no such name.
        pid_namespace: names the namespace that its pid belongs to, within its kernel.
        start_ticks: when it began, in clock ticks since its kernel's start, which nobody can set.
    """

    host: str
    pid: int
    process_started: float
    boot_id: str | None = None
    pid_namespace: str | None = None
    start_ticks: int | None = None

    @classmethod
    def of(cls, pid: int | None = None) -> Self:
        """The identity of a process that this one can see; None is this one.

        Raises:
            ProcessLookupError: there is none, or it has ended and is not collected yet.
        """
        number = os.getpid() if pid is None else pid
        host, started = socket.gethostname(), process_started(pid)
        try:
            kernel = kernel_of_this_process()
        except OSError:  # a system that does not say
            return cls(host, number, started)
        return cls(host, number, started, *kernel, start_ticks(pid))


def process_started(pid: int | None = None) -> float:
    """When a process began, in seconds since 1970.

    Args:
        pid: of the process; None is this one.

    Raises:
        ProcessLookupError: there is none, or it has ended and is not collected yet.
    """
    if not Path("/proc/self/stat").exists():
        return _from_ps(os.getpid() if pid is None else pid)
    return _boot_time() + _ticks_as_seen(pid) / os.sysconf("SC_CLK_TCK")


def process_is_alive(pid: int, started: float) -> bool:
    """Whether the process of this machine that had this pid and start time still runs."""
    try:
        return abs(process_started(pid) - started) <= _SAME_SECONDS
    except (ProcessLookupError, PermissionError):
        return False


def kernel_of_this_process() -> tuple[str, str]:
    """The boot id of this machine and the PID namespace of this process.

    Raises:
        OSError: the system does not say.
    """
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    namespace = Path("/proc/self/ns/pid").readlink().name  # such as "pid:[4026531836]"
    return boot_id, namespace.partition("[")[2].rstrip("]")


def start_ticks(pid: int | None = None) -> int:
    """When a process began, in clock ticks since the start of the kernel; None is this one.

    Raises:
        ProcessLookupError: there is none, or it has ended and is not collected yet.
        OSError: the system does not say.
    """
    return _ticks_as_seen(pid) - _shift_of_boot_time()


def _ticks_as_seen(pid: int | None) -> int:
    # Not by its number: /proc may be mounted from outside this process's PID namespace.
    who = "self" if pid is None else str(pid)
    try:
        text = Path(f"/proc/{who}/stat").read_text()
    except FileNotFoundError:
        raise ProcessLookupError(f"there is no process {who}") from None
    # The second field is the name in brackets, which may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZXx":
        raise ProcessLookupError(f"process {who} has ended")
    return int(fields[19])


def _shift_of_boot_time() -> int:
    """By how many ticks the kernel's start lies elsewhere for this process's time namespace."""
    try:
        lines = Path("/proc/self/timens_offsets").read_text().splitlines()
    except FileNotFoundError:  # a kernel without time namespaces
        return 0
    offsets = {name: int(seconds) for name, seconds, _ in map(str.split, lines)}
    return offsets.get("boottime", 0) * os.sysconf("SC_CLK_TCK")


@cache
def _boot_time() -> int:
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))


def _from_ps(pid: int) -> float:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    environment = os.environ | {"LC_ALL": "C"}
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    status, _, when = found.stdout.strip().partition(" ")
    if not when or status.startswith("Z"):
        raise ProcessLookupError(f"there is no process {pid}")
    return datetime.strptime(" ".join(when.split()), "%a %b %d %H:%M:%S %Y").timestamp()


class Liveness(Enum):
    """What a look at a process came to."""

    RUNS = "it runs"
    GONE = "it does not run any more"
    HIDDEN = "it cannot be seen from here"


def liveness_of(process: ProcessIdentity) -> Liveness:
    """Whether the process runs.

    It can be seen where its kernel and its PID namespace are those of this process. Names of hosts
    say nothing: containers share them. An identity from a system without boot ids proves no end
    either, as clocks and pids come again.
    """
    if process.start_ticks is None:
        here = process.host == socket.gethostname()
        seen = here and process_is_alive(process.pid, process.process_started)
        return Liveness.RUNS if seen else Liveness.HIDDEN
    try:
        kernel = kernel_of_this_process()
    except OSError:
        return Liveness.HIDDEN
    if kernel != (process.boot_id, process.pid_namespace):
        return Liveness.HIDDEN
    return _look_by_pid(process.pid, process.start_ticks)


def _look_by_pid(pid: int, ticks: int) -> Liveness:
    # /proc may be mounted from outside this process's PID namespace: its pids are then others'.
    if Path("/proc/self").readlink().name == str(os.getpid()):
        try:
            return Liveness.RUNS if start_ticks(pid) == ticks else Liveness.GONE
        except ProcessLookupError:
            if Path(f"/proc/{pid}").exists():  # it has ended and waits to be collected
                return Liveness.GONE
        except PermissionError:
            return Liveness.HIDDEN
    return Liveness.HIDDEN if _pid_is_used(pid) else Liveness.GONE


def _pid_is_used(pid: int) -> bool:
    """Whether a process has this pid, also where /proc hides those of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
