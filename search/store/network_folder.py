"""Whether a folder may lie on a network file system, where SQLite's WAL loses data."""

import os
import re
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


def is_on_network(folder: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether the innermost mount that holds `folder` is of a kind that is not known to be local.

    True where the machine does not list its mounts: nothing is known of the kind then.
    """
    folder = folder.resolve()
    best, kind = -1, ""
    for mount, file_system in _mounts(mounts):
        # The last of equal mounts lies on top.
        if folder.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), file_system
    return kind not in _LOCAL


def _mounts(listed: Path) -> list[tuple[Path, str]]:
    """Where each file system is mounted, and its kind, in order."""
    try:
        lines = listed.read_bytes().splitlines()
    except OSError:
        return []
    fields = [line.split(b" ") for line in lines]
    return [(_path(row[1]), os.fsdecode(row[2])) for row in fields if len(row) > 2]


def _path(written: bytes) -> Path:
    """The kernel writes blanks, tabs, line breaks and backslashes as octal numbers."""
    return Path(os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8) & 0xFF]), written)))
