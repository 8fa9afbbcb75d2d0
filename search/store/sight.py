"""Whether a process still runs, as far as this process can see it."""

import os
import socket
from enum import Enum
from pathlib import Path

from search.store.process import (
    ProcessIdentity,
    kernel_of_this_process,
    process_is_alive,
    start_ticks,
)


class Sight(Enum):
    """What a look at a process came to."""

    RUNS = "it runs"
    GONE = "it does not run any more"
    HIDDEN = "it cannot be seen from here"


def look_at(process: ProcessIdentity) -> Sight:
    """Whether the process runs.

    It can be seen where its kernel and its PID namespace are those of this process. Names of hosts
    say nothing: containers share them. An identity from a system without boot ids proves no end
    either, as clocks and pids come again.
    """
    if process.start_ticks is None:
        here = process.host == socket.gethostname()
        seen = here and process_is_alive(process.pid, process.process_started)
        return Sight.RUNS if seen else Sight.HIDDEN
    try:
        kernel = kernel_of_this_process()
    except OSError:
        return Sight.HIDDEN
    if kernel != (process.boot_id, process.pid_namespace):
        return Sight.HIDDEN
    return _look_by_pid(process.pid, process.start_ticks)


def _look_by_pid(pid: int, ticks: int) -> Sight:
    # /proc may be mounted from outside this process's PID namespace: its pids are then others'.
    if Path("/proc/self").readlink().name == str(os.getpid()):
        try:
            return Sight.RUNS if start_ticks(pid) == ticks else Sight.GONE
        except ProcessLookupError:
            if Path(f"/proc/{pid}").exists():  # it has ended and waits to be collected
                return Sight.GONE
        except PermissionError:
            return Sight.HIDDEN
    return Sight.HIDDEN if _pid_is_used(pid) else Sight.GONE


def _pid_is_used(pid: int) -> bool:
    """Whether a process has this pid, also where /proc hides those of other users."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
