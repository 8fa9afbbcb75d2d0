"""Ends what a driver leaves behind when it is gone without a farewell, and says how to go on.

Ray's own processes mostly die with their driver, but its agents linger for more than a minute. The
driver marks the environment of everything that it starts, and gives Ray a folder of its own; this
process waits at the other end of a pipe and, when the driver is gone without a farewell, ends
exactly the processes that carry the mark or hold a file in that folder open (a process that sets
its title may write over its environment). Then it ends the driver's run in the store and says the
driver's last words. Run as `python watchdog_process.py MARK FOLDER`; its other end is in
`watchdog.py`.

It is no child of the driver, so that what ends the driver with all that is below it spares this.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MARK = "MIXSPACE_RAY_MARK"
PREFIX = "mixspace-ray-"
SECONDS = 20.0
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STORE_SECONDS = 30.0


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


def end_all(mark: str, folder: Path, seconds: float = SECONDS) -> None:
    """Kill what belongs to the mark or the folder until nothing is left, or the time is up."""
    deadline = time.monotonic() + seconds
    while (left := belonging(mark, folder)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)


def _end_run(told: dict[str, Any]) -> "subprocess.Popen[bytes] | None":
    """Start the program that writes the end of the run; it needs the package and its libraries."""
    if "run" not in told:
        return None
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    }
    program = subprocess.Popen(
        [sys.executable, "-P", "-m", "search.store.end_run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert program.stdin is not None
    with contextlib.suppress(BrokenPipeError), program.stdin as pipe:
        # The URL of the store may hold a password, so it is on no command line.
        pipe.write(json.dumps(told["run"] | {"reason": told["reason"]}).encode())
    return program


def _say(lines: list[str]) -> None:
    with contextlib.suppress(OSError):  # nobody may be there to hear it
        os.write(2, "".join(f"{line}\n" for line in lines).encode())


def _listen() -> dict[str, Any]:
    """All that the driver told until it was gone; later facts replace earlier ones."""
    told: dict[str, Any] = {}
    for line in sys.stdin.buffer:
        with contextlib.suppress(ValueError):  # a line that the driver did not finish
            told |= json.loads(line)
    return told


def main(mark: str, folder: Path) -> None:
    """Wait for the driver's farewell or its death."""
    told = _listen()
    if told.get("farewell"):
        return
    if not folder.name.startswith(PREFIX):
        raise SystemExit(f"{folder} is not a folder of this program")
    program = _end_run(told)
    end_all(mark, folder)
    shutil.rmtree(folder, ignore_errors=True)
    if program is not None:
        try:
            program.wait(_STORE_SECONDS)
        except subprocess.TimeoutExpired:  # the store is away; --resume ends the run
            program.kill()
    if not told.get("said"):
        _say(told.get("exit_message", []))


if __name__ == "__main__":
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        main(sys.argv[1], Path(sys.argv[2]))
