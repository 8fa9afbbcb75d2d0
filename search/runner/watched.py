"""The driver's end of its watchdog, and the folder of its Ray."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from search.runner import watchdog
from search.runner.session_folder import new_session_folder
from search.runner.watchdog import MARK, SECONDS

_NOT_FOR_THE_WATCHDOG = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Watchdog:
    """A process that outlives this one.

    Attributes:
        folder: of this run's Ray; the watchdog removes it when this process is gone.
        mark: in the environment of all that this process starts.
        pipe: what it is told goes here, and that it ends when this process does.
    """

    folder: Path
    mark: str
    pipe: IO[bytes]

    def tell(self, **facts: Any) -> None:
        """What it has to know when this process is gone.

        Args:
            facts: `run`: store and id of the run to end; `reason`: for the store; `last_words`:
                lines for stderr; `said`: whether they are said; `farewell`: nothing is to be done.
        """
        with contextlib.suppress(BrokenPipeError, ValueError):  # it was killed: nobody watches
            self.pipe.write(json.dumps(facts).encode() + b"\n")
            self.pipe.flush()

    def end_all(self) -> None:
        """End what this process has started and left."""
        watchdog.end_all(self.mark, self.folder)


OnWatch = Callable[[Watchdog], None]
"""Called as soon as a process is watched, before it starts anything that may end it."""


def nothing_to_tell(_: Watchdog) -> None:
    """For what has no last words."""


@contextlib.contextmanager
def watched_folder(on_watch: OnWatch = nothing_to_tell) -> Iterator[Watchdog]:
    """A new temporary folder for Ray, removed at the end; marked children die with this process.

    Args:
        on_watch: tells the watchdog what it has to know.

    Raises:
        InputError: there is no place for the folder.
    """
    folder, mark = new_session_folder(), uuid.uuid4().hex
    process = _start(mark, folder)
    assert process.stdin is not None
    assert process.stdout is not None
    os.environ[MARK] = mark
    watching = Watchdog(folder, mark, process.stdin)
    try:
        on_watch(watching)
        yield watching
    finally:
        os.environ.pop(MARK, None)
        # Before the farewell: what ends this process amid it leaves the rest to the watchdog.
        shutil.rmtree(folder, ignore_errors=True)
        watching.tell(farewell=True)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        _wait_for_end_of(process.stdout)


def _start(mark: str, folder: Path) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    # It ignores them, but only once it runs.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_THE_WATCHDOG)
    try:
        process = subprocess.Popen(
            # As a plain file: it needs nothing of this package, and is there in no time.
            [sys.executable, "-I", "-S", str(Path(watchdog.__file__).resolve()), mark, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    process.wait()  # the watchdog itself is the child that this one leaves
    return process


def _wait_for_end_of(pipe: IO[bytes]) -> None:
    """Wait until the watchdog is gone, which never writes."""
    deadline = time.monotonic() + SECONDS
    with pipe:
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([pipe], [], [], left)
            if not ready or not os.read(pipe.fileno(), 1):
                return
