"""Notices that a server of a private Ray is gone, of which Ray tells its driver late or never."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from search.runner.watchdog import belonging
from search.store import process_is_alive, process_started

_NAMES = ("gcs_server", "raylet")
_INTERVAL = 0.2


@dataclass(frozen=True, slots=True)
class Server:
    """A process that every trial of a private Ray needs, named by its pid and start time."""

    name: str
    pid: int
    started: float

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return process_is_alive(self.pid, self.started)


def servers_of(mark: str, folder: Path) -> tuple[Server, ...]:
    """The servers among the processes of a private Ray; none where there is no /proc."""
    found = []
    for pid in belonging(mark, folder):
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            if Path(program).name in _NAMES:
                found.append(Server(Path(program).name, pid, process_started(pid)))
    return tuple(found)


@contextlib.contextmanager
def watching(servers: tuple[Server, ...], on_gone: Callable[[str], None]) -> Iterator[None]:
    """Look after the servers for the length of a block.

    Args:
        servers: all of them run.
        on_gone: told the name of the first that does not any more, once, from a thread.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(_INTERVAL):
            gone = [server.name for server in servers if not server.alive]
            if gone:
                on_gone(gone[0])
                return

    thread = threading.Thread(target=look, name="ray servers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
