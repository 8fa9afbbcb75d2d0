"""The file beside a checkpoint that tells how attempts at its trial broke off."""

import contextlib
import faulthandler
import logging
import os
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from space.passwords import masked

_LOG = logging.getLogger(__name__)
_TAIL = 64 * 1024
_FATAL = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_PID = re.compile(r"\bpid[:=]\s*(\d+)")


class CrashLog:
    """Held open by a worker while it trains, so that a crash in native code is told too.

    A file in which nothing was written is taken away again.

    Args:
        path: of the file; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8", errors="replace")
            faulthandler.enable(self._file)
        except OSError as error:
            # The training meets the same fault where it matters: at its checkpoint.
            _LOG.warning("no log can be kept: %s", error)

    def raised(self, error: BaseException) -> None:
        """Write down an exception with all that led to it."""
        if self._file is not None:
            with _kept_going(self._path):
                self._file.write(_heading(f"process {os.getpid()}"))
                self._file.write(masked("".join(traceback.format_exception(error))))
                self._file.flush()

    def close(self) -> None:
        """End the attempt."""
        if self._file is None:
            return
        faulthandler.disable()
        with _kept_going(self._path):
            self._file.close()
            if not self._path.stat().st_size:
                self._path.unlink()
        self._file = None


def write_death(path: Path, text: str, logs: Path | None) -> None:
    """Write down the death of a worker, which could not do it itself.

    Args:
        path: of the log.
        text: what Ray says of it.
        logs: the folder in which this machine's Ray keeps what its workers print, where known.
    """
    with _kept_going(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(_heading("the worker died") + masked(text).rstrip() + "\n")
            for printed in _printed_by(text, logs):
                file.write(f"--- what it printed ({printed.name})\n{masked(_tail(printed))}\n")


def crash_in(path: Path) -> str:
    """What a crash in native code left in a log last, such as "Segmentation fault"; else empty."""
    try:
        last = _tail(path).rpartition("=== ")[2]
    except OSError:
        return ""
    found = _FATAL.findall(last)
    return found[-1] if found else ""


def _printed_by(text: str, logs: Path | None) -> list[Path]:
    """The files with what the worker that Ray speaks of has printed."""
    found = _PID.search(text)
    if found is None or logs is None:
        return []
    return sorted(logs.glob(f"worker-*-{found[1]}.*"))


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        return file.read().decode(errors="replace").rstrip()


def _heading(what: str) -> str:
    return f"=== {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, {what}\n"


@contextlib.contextmanager
def _kept_going(path: Path) -> Iterator[None]:
    """A log that cannot be written must not become the fault that it tells of."""
    try:
        yield
    except OSError as error:
        _LOG.warning("%s cannot be written: %s", path, error)
