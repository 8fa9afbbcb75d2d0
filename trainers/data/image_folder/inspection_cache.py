"""Keeps what was found out about files, in one SQLite file that may be deleted at any time.

It saves time and nothing else: where it is damaged, full, locked or not to be written, everything
is read again, and that is said.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from space.input.paths import cache_folder, shown_path

_NAME = "pictures-1.sqlite"
_PATIENCE = 5.0
_SETTLED_NS = 2_000_000_000
"""A file changed more recently than this may change again within one tick of its clock."""
_DIGEST_BYTES = 32

_MAKE = """CREATE TABLE IF NOT EXISTS files (
    path BLOB PRIMARY KEY, size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER,
    digest BLOB, reader TEXT, fault TEXT
) WITHOUT ROWID"""
_KEEP = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class FileState(NamedTuple):
    """What changes when a file does: its size, times in nanoseconds, and inode."""

    size: int
    mtime: int
    ctime: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> "FileState":
        """From what the system says; the inode fits SQLite's signed 64 bits."""
        inode = stat.st_ino & (2**63 - 1)
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, inode)

    def is_settled(self) -> bool:
        """Whether a change from now on would show in the times.

        The kernel sets ctime at every change; mtime is what programs like, also in the future.
        """
        return self.ctime < time.time_ns() - _SETTLED_NS


class Finding(NamedTuple):
    """What reading a file gave.

    Attributes:
        digest: hash of its bytes; empty where they could not be read.
        reader: how it was looked at, and by which release of Pillow.
        fault: what is wrong with it; None where nothing was found.
    """

    digest: bytes
    reader: str
    fault: str | None = None


class InspectionCache:
    """Findings by absolute real path and state of the file.

    Attributes:
        trouble: why it is not used any more; None while it is.
    """

    def __init__(self) -> None:
        folder = cache_folder()
        self.trouble = None if folder is not None else "You have no home, nor MIXSPACE_CACHE"
        self._file = Path(os.devnull) if folder is None else folder / _NAME

    def known(self, files: Sequence[tuple[str, FileState]]) -> dict[str, Finding]:
        """The findings of those files that are as they were; a few hundred are asked at once."""
        found: dict[str, Finding] = {}
        if self.trouble is not None:
            return found
        try:
            if not self._file.exists():
                return found
            with closing(self._connect()) as connection:
                found = _look_up(connection, dict(files))
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)
        return found

    def keep(self, rows: Iterable[tuple[str, FileState, Finding]]) -> None:
        """Write findings down, those of files that changed a moment ago apart."""
        values = [
            (os.fsencode(path), *state, *finding)
            for path, state, finding in rows
            if finding.digest and state.is_settled()
        ]
        if not values or self.trouble is not None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as connection, connection:
                connection.execute(_MAKE)
                connection.executemany(_KEEP, values)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=_PATIENCE)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        return connection

    def _give_up(self, error: Exception) -> None:
        self.trouble = f"{shown_path(str(self._file))}, which may be deleted, is not used ({error})"


def _look_up(connection: sqlite3.Connection, part: dict[str, FileState]) -> dict[str, Finding]:
    placeholders = ", ".join("?" * len(part))
    rows = connection.execute(
        "SELECT path, size, mtime, ctime, inode, digest, reader, fault "  # noqa: S608 - only "?"
        f"FROM files WHERE path IN ({placeholders})",
        [os.fsencode(path) for path in part],
    )
    return {
        path: Finding(digest, reader, fault)
        for raw, *state, digest, reader, fault in rows
        if part[path := os.fsdecode(raw)] == FileState(*state) and _is_whole(digest, reader, fault)
    }


def _is_whole(digest: object, reader: object, fault: object) -> bool:
    """Whether a row is of the types that were written."""
    is_digest = isinstance(digest, bytes) and len(digest) == _DIGEST_BYTES
    return is_digest and isinstance(reader, str) and isinstance(fault, str | None)
