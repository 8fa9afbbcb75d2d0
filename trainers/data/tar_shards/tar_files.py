"""Members of plain tar files by their offsets, so that any of them is read without the others."""

import io
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from space.errors import InputError
from space.input.paths import shown_path
from trainers.data.image_folder.picture_files import PictureFiles, Place


class Member(NamedTuple):
    """A regular file in a tar: its name, and where its bytes lie in the whole file."""

    name: str
    offset: int
    size: int


def members(path: Path) -> Iterator[Member]:
    """The regular files in a tar in their order; those of tars in it below the name of each.

    Raises:
        InputError: where="data.folder", the file cannot be read, is cut off, or is compressed.
    """
    with _refusing(path), path.open("rb") as file:
        yield from _members(file, path, "", 0, os.fstat(file.fileno()).st_size)


def _members(file: BinaryIO, path: Path, below: str, start: int, size: int) -> Iterator[Member]:
    """The members of the tar in a stretch of a file."""
    stretch = _Stretch(file, start, size)
    with tarfile.open(fileobj=stretch, mode="r:") as archive:
        for info in archive:
            if not info.isreg() or info.issparse():
                continue
            name = below + info.name.removeprefix("./")
            offset = start + info.offset_data
            if name.endswith(".tar") and not below:
                yield from _members(file, path, f"{name}/", offset, info.size)
            else:
                yield Member(name, offset, info.size)
        # tarfile takes a header that is damaged or cut off for the end, which is a block of zeros.
        stretch.seek(archive.offset)
        if stretch.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError(f"it is damaged or cut off at byte {start + archive.offset:,}")


class _Stretch(io.RawIOBase):
    """A part of a file as a file, for tars in tars."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        left = max(0, self._size - self._at)
        self._file.seek(self._start + self._at)
        found = self._file.read(left if size < 0 else min(size, left))
        self._at += len(found)
        return found


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    place = shown_path(str(path))
    try:
        yield
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        compressed = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
        with path.open("rb") as file:
            kind = compressed.get(file.read(2))
        message = (
            f"{place} is compressed ({kind}): pictures are read from plain tars; decompress it"
            if kind
            else f"{place} is no whole tar file ({error})"
        )
        raise InputError.of("data.folder", message) from None
    except OSError as error:
        message = f"{place} cannot be read: {error.strerror or error}"
        raise InputError.of("data.folder", message) from None


class InTars(PictureFiles):
    """Members of tars below a folder, called by the path of the tar and their name in it.

    Args:
        folder: that the tars lie below.
        shards: their paths from there.
        found: by name of a picture, which shard it is in, and where.
    """

    def __init__(
        self, folder: Path, shards: Sequence[str], found: Mapping[str, tuple[int, int, int]]
    ) -> None:
        self.folder = folder
        self._shards = tuple(shards)
        self._number = {name: number for number, name in enumerate(found)}
        self._where = np.array([*found.values()], np.int64).reshape(-1, 3)
        base = os.path.realpath(folder)
        self._paths = tuple(os.path.realpath(os.path.join(base, each)) for each in shards)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def place(self, name: str) -> Place:
        shard, offset, _ = self._where[self._number[name]]
        path = self._paths[shard]
        # No path of a file has two slashes: a member is never taken for one.
        return Place(f"{path}//{offset}//{name}", path)

    def open(self, name: str) -> BinaryIO:
        shard, offset, size = map(int, self._where[self._number[name]])
        with Path(self._paths[shard]).open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) < size:
            raise EOFError(f"the tar ends after {len(content)} of {size} bytes")
        return io.BytesIO(content)
