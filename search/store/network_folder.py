"""Whether a folder may lie on a network file system, where SQLite's WAL loses data."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

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


_OWN = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class _Mount:
    folder: Path
    kind: str
    device: int | None = None


def is_on_network(folder: Path, mounts: Path | None = None) -> bool:
    """Whether the mount that `folder` lies on is of a kind that is not known to be local.

    True where the machine does not list its mounts: nothing is known of the kind then.

    Args:
        folder: what is asked for; links are followed.
        mounts: a list as /proc/mounts; None takes the list of this process, with its devices.
    """
    folder = folder.resolve()
    listed = _own_mounts() if mounts is None else _mounts(mounts)
    # The last one that holds the folder hides those before it, longer ones too.
    holding = [mount for mount in listed if folder.is_relative_to(mount.folder)][-1:]
    device = _device(folder) if mounts is None else None
    # A device is what the folder is really on, whatever was mounted over what. A file system may
    # say another one for its folders than its mount has (btrfs does): then the list decides.
    same = [mount for mount in listed if device is not None and mount.device == device]
    kinds = {mount.kind for mount in same or holding}
    return not kinds or not kinds <= _LOCAL


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def _own_mounts() -> list[_Mount]:
    """The mounts of this process.

    A line is: id, parent, device, root, folder, options, more of them, "-", kind, and so on.
    """
    found = []
    for row in _rows(_OWN):
        if b"-" not in row[6:]:
            continue
        major, _, minor = row[2].partition(b":")
        kind = row[row.index(b"-", 6) + 1]
        device = os.makedev(int(major), int(minor))
        found.append(_Mount(_path(row[4]), os.fsdecode(kind), device))
    return found


def _mounts(listed: Path) -> list[_Mount]:
    """Where each file system is mounted, and its kind, in order."""
    rows = _rows(listed)
    return [_Mount(_path(row[1]), os.fsdecode(row[2])) for row in rows if len(row) > 2]


def _rows(listed: Path) -> list[list[bytes]]:
    try:
        return [line.split(b" ") for line in listed.read_bytes().split(b"\n")]
    except OSError:
        return []


def _path(written: bytes) -> Path:
    """The kernel writes blanks, tabs, line breaks and backslashes as octal numbers."""
    return Path(os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), written)))
