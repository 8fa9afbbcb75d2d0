"""An SQLite file as it is at one moment, what it says of its log, and whether it is on a network.

But for the header, nothing here opens the file: closing it again would end every lock that this
process has on it, and with them go what other connections of the process have written to the log.
"""

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

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


_READ_VERSION, _WAL = 18, 2


class SqliteHeader:
    """Reads it from a file that stays open: closing one ends every lock of the process on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[Path, Identity, BinaryIO] | None = None

    def asks_for_wal(self, state: FileState) -> bool:
        """Whether SQLite would make a write-ahead log, and its index, to read the file.

        Raises:
            OSError: the file cannot be read.
        """
        with self._lock:
            file = self._file(state)
            file.seek(_READ_VERSION)
            return file.read(1) == bytes([_WAL])

    def close(self) -> None:
        """Gives the file back."""
        with self._lock:
            if self._open is not None:
                self._open[2].close()
            self._open = None

    def _file(self, state: FileState) -> BinaryIO:
        if self._open is not None and self._open[:2] == (state.path, state.identity):
            return self._open[2]
        file: BinaryIO = state.path.open("rb", buffering=0)
        if self._open is not None:
            self._open[2].close()
        self._open = (state.path, state.identity, file)
        return file


# A network file system that nobody has heard of yet is more likely than a new one for disks, and
# without WAL a store is only slower. So the kinds that are named are the local ones.
_LOCAL = frozenset(
    (
        # disks
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "nilfs2"),
        *("reiserfs", "reiser4", "ubifs", "jffs2", "ufs", "apfs", "hfs", "hfsplus"),
        *("vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "udf"),
        *("iso9660", "squashfs", "erofs", "cramfs"),
        # memory, and the layers of containers
        *("tmpfs", "ramfs", "rootfs", "overlay", "overlayfs", "aufs"),
    )
)
_OCTAL = re.compile(rb"\\([0-7]{3})")
_OWN_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class _Mount:
    folder: Path
    kind: str
    device: int


def is_on_network(folder: Path, mounts: Path = _OWN_MOUNTS) -> bool:
    """Whether the mount that `folder` lies on is of a kind that is not known to be local.

    True where the machine does not list its mounts: nothing is known of the kind then.

    Args:
        folder: what is asked for; links are followed.
        mounts: a list as /proc/self/mountinfo.
    """
    folder = folder.resolve()
    listed = _mounts(mounts)
    # The last one that holds the folder hides those before it, longer ones too.
    holding = [mount for mount in listed if folder.is_relative_to(mount.folder)][-1:]
    # A device is what the folder is really on, whatever was mounted over what. A file system may
    # say another one for its folders than its mount has (btrfs does): then the list decides.
    device, _ = identity(folder) or (None, None)
    kinds = {mount.kind for mount in listed if mount.device == device}
    kinds = kinds or {mount.kind for mount in holding}
    return not kinds or not kinds <= _LOCAL


def _mounts(listed: Path) -> list[_Mount]:
    """Where each file system is mounted, its kind and device, in order.

    A line is: id, parent, device, root, folder, options, more of them, "-", kind, and so on.
    """
    try:
        rows = [line.split(b" ") for line in listed.read_bytes().split(b"\n")]
    except OSError:
        return []
    found = []
    for row in rows:
        if b"-" not in row[6:]:
            continue
        major, _, minor = row[2].partition(b":")
        kind = row[row.index(b"-", 6) + 1]
        device = os.makedev(int(major), int(minor))
        found.append(_Mount(_path(row[4]), os.fsdecode(kind), device))
    return found


def _path(written: bytes) -> Path:
    """The kernel writes blanks, tabs, line breaks and backslashes as octal numbers."""
    return Path(os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), written)))
