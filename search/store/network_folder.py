"""Whether a folder lies on a network file system, where SQLite's WAL loses data."""

from pathlib import Path

_NETWORK = ("nfs", "cifs", "smb", "fuse.sshfs", "lustre", "beegfs", "gpfs", "ceph", "9p", "afs")


def is_on_network(folder: Path, mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether the innermost mount that holds `folder` is a network one.

    False where the machine does not list its mounts.
    """
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return False
    folder = folder.resolve()
    best, kind = -1, ""
    for line in lines:
        _, target, file_system, *_ = line.split(" ")
        mount = Path(target.replace("\\040", " "))
        # The last of equal mounts lies on top.
        if folder.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), file_system
    return kind.startswith(_NETWORK)
