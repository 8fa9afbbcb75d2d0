"""Naming a process of this machine so that its pid, used again, is not taken for it."""

import os
import subprocess
from datetime import datetime
from functools import cache
from pathlib import Path

_SAME_SECONDS = 2.0
"""Two readings of one start time differ by rounding, and by what the clock was set by."""


def process_started(pid: int | None = None) -> float:
    """When a process began, in seconds since 1970.

    Args:
        pid: of the process; None is this one.

    Raises:
        ProcessLookupError: there is none, or it has ended and is not collected yet.
    """
    pid = os.getpid() if pid is None else pid
    started = _from_proc(pid) if Path("/proc/self/stat").exists() else _from_ps(pid)
    if started is None:
        raise ProcessLookupError(f"there is no process {pid}")
    return started


def process_is_alive(pid: int, started: float) -> bool:
    """Whether the process of this machine that had this pid and start time still runs."""
    try:
        return abs(process_started(pid) - started) <= _SAME_SECONDS
    except ProcessLookupError:
        return False


def _from_proc(pid: int) -> float | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name in brackets, which may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZXx":
        return None
    return _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")


@cache
def _boot_time() -> int:
    lines = Path("/proc/stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))


def _from_ps(pid: int) -> float | None:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    environment = os.environ | {"LC_ALL": "C"}
    found = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    status, _, when = found.stdout.strip().partition(" ")
    if not when or status.startswith("Z"):
        return None
    return datetime.strptime(" ".join(when.split()), "%a %b %d %H:%M:%S %Y").timestamp()
