"""Files that are being written beside the one that they replace: each writer has its own.

A worker may still write while another, elsewhere, has taken its trial over.
"""

import glob
import hashlib
import os
import re
import socket
import time
from functools import cache
from pathlib import Path

_SUFFIX = ".partial"
_NAME = re.compile(r".*\.([0-9a-f]{8})-(\d+)-(\d+)\.partial")
_OLD_SECONDS = 24 * 3600.0
"""No writer takes so long: it is gone, wherever it was."""


def partial_file(path: Path) -> Path:
    """Where this process writes what shall replace a file; nobody else writes there."""
    writer = f"{_place()}-{os.getpid()}-{_started(os.getpid())}"
    return path.with_name(f"{path.name}.{writer}{_SUFFIX}")


def remove_abandoned(path: Path) -> None:
    """Remove what writers of a file that are gone have left half-written."""
    for found in path.parent.glob(f"{glob.escape(path.name)}.*"):
        if found.name.endswith(_SUFFIX) and _is_abandoned(found):
            found.unlink(missing_ok=True)


def _is_abandoned(partial: Path) -> bool:
    told = _NAME.fullmatch(partial.name)
    if told is not None and told[1] == _place() and int(told[3]):
        return _started(int(told[2])) != int(told[3])
    try:
        return time.time() - partial.stat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:  # it has replaced its file
        return False


@cache
def _place() -> str:
    """Where a number of a process means this process: the machine, and the PIDs that it sees."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # a system without them
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def _started(pid: int) -> int:
    """When a process began, in clock ticks; 0 where there is none, or the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The second field is the name in brackets, which may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in "ZXx" else int(fields[19])
