"""WAL only where the kind of file system is known to be local."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.store.sqlite_file import is_on_network
from tests.support.without_rights import in_own_mounts

LOCAL = (
    *("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "tmpfs", "overlay"),
    *("apfs", "fuseblk", "exfat", "vfat", "ntfs3", "squashfs", "jfs", "ramfs", "hfsplus"),
)
NETWORK = (
    *("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "lustre", "gpfs", "beegfs"),
    *("virtiofs", "vboxsf", "wekafs", "panfs", "orangefs", "pvfs2", "ocfs2", "gfs2", "glusterfs"),
    *("fuse.glusterfs", "fuse.ceph-fuse", "fuse.juicefs", "fuse.s3fs", "fuse.rclone", "fuse"),
    *("fuse.lustre", "fuse.sshfs", "fuse.gcsfuse", "fuse.mount-s3", "fuse.dfuse", "fuse.goofys"),
    *("fuse.cvmfs2", "fuse.seaweedfs", "fuse.moosefs", "fuse.vmhgfs-fuse", "prl_fs", "davfs"),
    *("fakeowner", "drvfs", "autofs", "ncpfs", "coda", "a-kind-of-next-year"),
)


def listed(folder: Path, *lines: str) -> Path:
    """A list as the kernel has it, of lines as in /proc/mounts, with a device that is none."""
    found = folder / "mounts"
    found.write_bytes(os.fsencode("".join(f"{_with_ids(line)}\n" for line in lines)))
    return found


def _with_ids(line: str) -> str:
    source, folder, kind, *_ = *line.split(" "), "", ""
    return f"1 0 0:0 / {folder} rw - {kind} {source} rw" if kind else line


@pytest.mark.parametrize("kind", LOCAL)
def test_known_kinds_are_local(tmp_path: Path, kind: str) -> None:
    mounts = listed(tmp_path, "server:/x / nfs4 rw 0 0", f"/dev/x {tmp_path} {kind} rw 0 0")
    assert not is_on_network(tmp_path, mounts)
    assert is_on_network(tmp_path.parent, mounts)


@pytest.mark.parametrize("kind", NETWORK)
def test_all_other_kinds_count_as_networks(tmp_path: Path, kind: str) -> None:
    mounts = listed(tmp_path, "/dev/x / ext4 rw 0 0", f"h:/y {tmp_path} {kind} rw 0 0")
    assert is_on_network(tmp_path / "below", mounts)
    assert not is_on_network(tmp_path.parent, mounts)


def test_the_last_of_equal_mounts_lies_on_top(tmp_path: Path) -> None:
    below, above = f"map {tmp_path} autofs rw 0 0", f"/dev/x {tmp_path} xfs rw 0 0"
    assert not is_on_network(tmp_path, listed(tmp_path, below, above))
    assert is_on_network(tmp_path, listed(tmp_path, above, below))


def test_a_later_mount_hides_longer_ones_before_it(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    hidden = (f"/dev/x {runs} ext4 rw 0 0", f"h:/y {tmp_path} nfs4 rw 0 0")
    root = "/dev/y / ext4 rw 0 0"
    assert is_on_network(runs, listed(tmp_path, root, *hidden))
    assert not is_on_network(runs, listed(tmp_path, root, *reversed(hidden)))
    assert is_on_network(tmp_path / "other", listed(tmp_path, root, *reversed(hidden)))


@given(st.text(st.sampled_from(' \t\n\r\v\x85\\#"ab0é\udcff'), min_size=1, max_size=8))
def test_every_name_of_a_mount_is_read_as_the_kernel_writes_it(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.mktemp("mounts")
    mount = folder / name
    mount.mkdir()
    escaped = "".join(f"\\{ord(c):03o}" if c in ' \t\n\\#"' else c for c in str(mount))
    mounts = listed(folder, "/dev/x / ext4 rw 0 0", f"h:/y {escaped} nfs rw 0 0", "torn", "")
    assert is_on_network(mount, mounts)
    assert not is_on_network(folder, mounts)


REAL_MOUNT = """
mkdir "$1"
mount -t tmpfs none "$1"
exec "$2" -c 'import sys; from pathlib import Path
from search.store.sqlite_file import is_on_network
mounts = Path("/proc/mounts").read_text()
print(is_on_network(Path(sys.argv[1])), "\\\\040" in mounts)' "$1"
"""


def test_a_real_mount_with_an_odd_name(tmp_path: Path) -> None:
    arguments = (str(tmp_path / "a b\\c\td"), sys.executable)
    process: subprocess.Popen[str] = in_own_mounts(REAL_MOUNT, *arguments)
    assert process.communicate(timeout=60)[0].strip() == "False True"


SHADOWED = """
mkdir -p "$1/runs"
mount -t ramfs none "$1/runs"
mount -t tmpfs none "$1"
mkdir "$1/runs"
exec "$2" -c 'import sys; from pathlib import Path
from search.store import sqlite_file
sqlite_file._LOCAL -= {sys.argv[2]}
print(sqlite_file.is_on_network(Path(sys.argv[1])))' "$1/runs" "$3"
"""


@pytest.mark.parametrize(("kind", "expected"), [("tmpfs", "True"), ("ramfs", "False")])
def test_a_real_mount_hides_longer_ones(tmp_path: Path, kind: str, expected: str) -> None:
    process = in_own_mounts(SHADOWED, str(tmp_path / "data"), sys.executable, kind)
    assert process.communicate(timeout=60)[0].strip() == expected


def test_the_device_tells_the_mount(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    here = f"{os.major(device)}:{os.minor(device)}"
    lines = f"1 0 {here} / {tmp_path} rw shared:1 - nfs h:/x rw\n2 0 0:999 / / rw - ext4 x rw\n"
    mounts = tmp_path / "mounts"
    mounts.write_text(lines)
    assert is_on_network(tmp_path, mounts)
    mounts.write_text(lines.replace(" nfs ", " ext4 ").replace(" ext4 x", " nfs x"))
    assert not is_on_network(tmp_path, mounts)
    mounts.unlink()
    assert is_on_network(tmp_path, mounts)
