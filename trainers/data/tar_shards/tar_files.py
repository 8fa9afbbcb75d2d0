"""Members of plain tar files by their offsets, so that any of them is read without the others."""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from space.errors import InputError
from space.input.paths import shown_path
from trainers.data.image_folder.picture_files import PictureFiles, Place
from trainers.data.tar_shards.headers import Member, NotATar, regular_files


def members(path: Path) -> Iterator[Member]:
    """The regular files in a tar in their order; those of tars in it below the name of each.

    Raises:
        InputError: where="data.folder", the file cannot be read, is cut off, or is compressed.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for member in regular_files(file, 0, size):
                if member.name.endswith(".tar"):
                    inner = regular_files(file, member.offset, member.offset + member.size)
                    yield from (each._replace(name=f"{member.name}/{each.name}") for each in inner)
                else:
                    yield member
    except NotATar as error:
        raise InputError.of("data.folder", _why(path, error)) from None
    except OSError as error:
        message = f"{shown_path(str(path))} cannot be read: {error.strerror or error}"
        raise InputError.of("data.folder", message) from None


_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


def _why(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        kind = _COMPRESSED.get(file.read(2))
    if kind:
        said = f"is compressed ({kind}): pictures are read from plain tars; decompress it"
    else:
        said = f"is no whole tar file ({error})"
    return f"{shown_path(str(path))} {said}"


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
