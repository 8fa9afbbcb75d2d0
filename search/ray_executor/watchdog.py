"""The driver's end of its watchdog, and the folder of its Ray, where its files and sockets fit."""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from search.ray_executor import watchdog_process
from search.ray_executor.watchdog_process import ENDING_SIGNALS, MARK, PREFIX, SECONDS
from space.errors import InputError
from space.input.paths import given_path, is_folder

_VARIABLE = "RAY_TMPDIR"
_LONGEST = 107
"""Bytes in the path of a socket."""
_SOCKET = "mixspace-ray-12345678/session_2026-12-31_23-59-59_123456_4194304/sockets/plasma_store"
"""The longest path of a socket below the place."""
_ROOM = 32 * 2**20
"""Bytes for logs; Ray's servers end without a word where they cannot write them."""


def new_session_folder() -> Path:
    """A new folder for one run: in RAY_TMPDIR if that is set, or in /tmp, or else in TMPDIR.

    Raises:
        InputError: what is wrong with each place.
    """
    problems = []
    for name, place in _places():
        problem = _problem(place)
        if problem is None:
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        problems.append((name, f"Ray's session folder cannot be in {place}: {problem}"))
    words = "; ".join(words for _, words in problems)
    raise InputError.of(problems[0][0], f"{words}; set {_VARIABLE} to a short path with room")


def _places() -> Iterator[tuple[str, Path]]:
    chosen = os.environ.get(_VARIABLE)
    if chosen:
        yield _VARIABLE, given_path(chosen, _VARIABLE).absolute()
        return
    yield "/tmp", Path("/tmp")
    other = os.environ.get("TMPDIR")
    if other and Path(other).absolute() != Path("/tmp"):
        yield "TMPDIR", Path(other).absolute()


def _problem(place: Path) -> str | None:
    """Why Ray cannot work below a folder; None where it can."""
    length = len(os.fsencode(place / _SOCKET))
    if length > _LONGEST:
        return (
            f"the path is {length - _LONGEST} bytes too long, "
            f"as those of sockets have {_LONGEST} at most"
        )
    if not is_folder(place):
        return "it is not a folder"
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(2**16))
            probe.flush()
    except OSError as error:
        return f"it cannot be written: {error.strerror}"
    free = shutil.disk_usage(place).free
    if free < _ROOM:
        return f"{free / 2**20:.0f} MiB are free, and {_ROOM / 2**20:.0f} are needed"
    return None


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
            facts: `run`: store and id of the run to end; `reason`: for the store; `exit_message`:
                lines for stderr; `said`: whether they are said; `farewell`: nothing is to be done.
        """
        with contextlib.suppress(BrokenPipeError, ValueError):  # it was killed: nobody watches
            self.pipe.write(json.dumps(facts).encode() + b"\n")
            self.pipe.flush()

    def end_all(self) -> None:
        """End what this process has started and left."""
        watchdog_process.end_all(self.mark, self.folder)


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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        process = subprocess.Popen(
            # As a plain file: it needs nothing of this package, and is there in no time.
            [
                sys.executable,
                "-I",
                "-S",
                str(Path(watchdog_process.__file__).resolve()),
                mark,
                str(folder),
            ],
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
