"""An SQLite file as it is at one moment: which file it is, and whether a log lies beside it.

Nothing here opens the file: closing it again would end every lock that this process has on it, and
with them go what other connections of the process have written to the log.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileState:
    """A file, links followed. Two that are equal tell of a file that nobody wrote in between.

    Attributes:
        path: where the file itself is.
        identity: device and inode; another file in the same place has another one.
        written: its size and time of change, to the nanosecond.
        log: size and time of change of the write-ahead log beside it; None where there is none.
        journal: the same of the rollback journal, which a store on a network has instead.
        may_add: whether this process may make files beside it.
        may_write: whether it may do that, and write to the file itself.
    """

    path: Path
    identity: Identity
    written: tuple[int, int]
    log: tuple[int, int] | None
    journal: tuple[int, int] | None
    may_add: bool
    may_write: bool

    @classmethod
    def of(cls, path: Path) -> Self:
        """The state of the file that the path leads to now.

        Raises:
            OSError: there is none.
        """
        path = real_path(path)
        status = path.stat()
        return cls(
            path,
            (status.st_dev, status.st_ino),
            (status.st_size, status.st_mtime_ns),
            _beside(path, "-wal"),
            _beside(path, "-journal"),
            os.access(path.parent, os.W_OK),
            may_write(path),
        )

    @property
    def rests(self) -> bool:
        """Whether all there is stands in the file itself: nothing is in a log beside it."""
        return not any(beside and beside[0] for beside in (self.log, self.journal))


def real_path(path: Path) -> Path:
    """The path with links followed: SQLite's log lies beside the file, not beside a link.

    Raises:
        OSError: the links lead in a circle, or the path is too long.
    """
    try:
        return path.resolve()
    except RuntimeError:
        raise OSError(None, "its symbolic links lead in a circle") from None


def may_write(path: Path) -> bool:
    """Whether this process may write to a file, and make others beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def identity(path: Path) -> Identity | None:
    """Which file is there; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _beside(path: Path, ending: str) -> tuple[int, int] | None:
    try:
        status = path.with_name(path.name + ending).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
