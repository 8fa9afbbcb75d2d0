"""Ends what is left of a local Ray when its driver was killed, so that nothing keeps running.

Ray's own processes mostly die with their driver, but its agents linger for more than a minute. The
driver marks the environment of everything that it starts, and gives Ray a folder of its own; this
process waits at the other end of a pipe and, when the driver is gone without a farewell, ends
exactly the processes that carry the mark or hold a file in that folder open (a process that sets
its title may write over its environment). Run as `python watchdog.py MARK FOLDER`.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

MARK = "MIXSPACE_RAY_MARK"
_FAREWELL = b"farewell\n"
_PREFIX = "mixspace-ray-"
_SECONDS = 20.0


@contextlib.contextmanager
def watched_folder() -> Iterator[Path]:
    """A new temporary folder for Ray, removed at the end; marked children die with this process."""
    # Ray puts sockets below it, whose paths may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp" if Path("/tmp").is_dir() else None))
    mark = uuid.uuid4().hex
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    watchdog = subprocess.Popen(
        # As a plain file: it needs nothing of this package, and is there in no time.
        [sys.executable, "-I", "-S", str(Path(__file__).resolve()), mark, str(folder)],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C in the driver's terminal is not for the watchdog
    )
    os.environ[MARK] = mark
    try:
        yield folder
    finally:
        os.environ.pop(MARK, None)
        with contextlib.suppress(subprocess.TimeoutExpired, BrokenPipeError):
            watchdog.communicate(_FAREWELL, timeout=_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def belonging(mark: str, folder: Path) -> list[int]:
    """The other processes that hold the mark in their environment, or a file below the folder."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        # Processes of other users cannot be read, and any may end while it is looked at.
        with contextlib.suppress(OSError):
            environment = (entry / "environ").read_bytes().split(b"\0")
            if needle in environment or _holds_open(entry, f"{folder}/"):
                found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def _holds_open(process: Path, prefix: str) -> bool:
    for descriptor in (process / "fd").iterdir():
        with contextlib.suppress(OSError):
            if str(descriptor.readlink()).startswith(prefix):
                return True
    return False


def end_all(mark: str, folder: Path, seconds: float = _SECONDS) -> None:
    """Kill what belongs to the mark or the folder until nothing is left, or the time is up."""
    deadline = time.monotonic() + seconds
    while (left := belonging(mark, folder)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)


def main(mark: str, folder: Path) -> None:
    """Wait for the driver's farewell or its death."""
    if sys.stdin.buffer.read() == _FAREWELL:
        return
    if not folder.name.startswith(_PREFIX):
        raise SystemExit(f"{folder} is not a folder of this program")
    end_all(mark, folder)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
