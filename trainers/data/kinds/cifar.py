"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), in their binary version.

The Python version is made of pickles, which may run code when they are read: it is refused.
"""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np

from space.errors import InputError, Problem, refuse
from space.input.paths import Folder, is_file, is_folder, shown_path
from trainers.data.data_config import DataConfig
from trainers.data.data_kind import DataShape, Part
from trainers.data.labelled_images import LabelledImages
from trainers.data.resident_kind import ResidentKind

EDGE, CHANNELS = 32, 3
_PIXELS = CHANNELS * EDGE * EDGE
_PICKLES = "; the Python version there is made of pickles, which may run code: take the binary one"


class Cifar10Config(DataConfig):
    """CIFAR-10.

    Attributes:
        folder: that holds data_batch_1.bin to data_batch_5.bin and test_batch.bin, or
            cifar-10-batches-bin/ with them, or cifar-10-binary.tar.gz.
    """

    name: Literal["cifar10"] = "cifar10"
    folder: Folder


class Cifar100Config(DataConfig):
    """CIFAR-100.

    Attributes:
        folder: that holds train.bin and test.bin, or cifar-100-binary/ with them, or
            cifar-100-binary.tar.gz.
        classes: "fine" are the 100, "coarse" the 20 that they are of.
    """

    name: Literal["cifar100"] = "cifar100"
    folder: Folder
    classes: Literal["fine", "coarse"] = "fine"


class _Cifar(ResidentKind):
    """Records of labels and 32×32 pixels, colour by colour."""

    files: ClassVar[dict[Part, tuple[str, ...]]]
    inner: ClassVar[str]
    archive: ClassVar[str]
    python: ClassVar[str]
    label_bytes: ClassVar[int]

    config: Any

    @property
    def label_at(self) -> int:
        """Which byte of a record is its label."""
        return 0

    @property
    def class_count(self) -> int:
        """How many classes there are."""
        return 10

    @property
    def names_file(self) -> str:
        """The file with the names of the classes, one a line."""
        return "batches.meta.txt"

    def shape(self) -> DataShape:
        """That of CIFAR, where its files are there."""
        self._place()
        names = self._class_names()
        return DataShape(self.config.name, CHANNELS, EDGE, EDGE, self.class_count, names)

    def load(self, part: Part, **options: Any) -> LabelledImages:
        """All images of a part."""
        size = self.label_bytes + _PIXELS
        problems: list[Problem] = []
        parts = []
        for name in self.files[part]:
            with self._opened(name) as file:
                content = file.read()
            if not content or len(content) % size:
                found = f"{len(content):,} bytes, which is no multiple of {size:,}"
                message = f"{self._path(name)} has {found}"
                problems.append(Problem("data.folder", message))
                continue
            records = np.frombuffer(content, np.uint8).reshape(-1, size)
            if (most := records[:, self.label_at].max()) >= self.class_count:
                message = (
                    f"{self._path(name)} holds label {most}; the classes are 0 to "
                    f"{self.class_count - 1}"
                )
                problems.append(Problem("data.folder", message))
            parts.append(records)
        refuse(problems)
        records = np.concatenate(parts)
        pixels = records[:, self.label_bytes :].reshape(-1, CHANNELS, EDGE, EDGE)
        images = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        labels = np.ascontiguousarray(records[:, self.label_at])
        return LabelledImages(images, labels, class_names=self._class_names())

    def _place(self) -> Path:
        """The folder of the files, or the archive."""
        root: Path = self.config.folder
        if not is_folder(root):
            raise InputError.of("data.folder", f"{shown_path(str(root))} is not a folder")
        wanted = [name for names in self.files.values() for name in names]
        for folder in (root, root / self.inner):
            if all(is_file(folder / name) for name in wanted):
                return folder
        if is_file(root / self.archive):
            return root / self.archive
        also = _PICKLES if any(map(_holds_pickles, (root, root / self.python))) else ""
        *some, last = wanted
        message = (
            f"{shown_path(str(root))} holds neither {', '.join(some)} and {last}, nor "
            f"{self.inner}/ with them, nor {self.archive}{also}"
        )
        raise InputError.of("data.folder", message)

    def _path(self, name: str) -> str:
        return shown_path(str(self._place() / name))

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO]:
        place = self._place()
        try:
            if place.name != self.archive:
                with (place / name).open("rb") as file:
                    yield file
                return
            with tarfile.open(place) as archive:
                members = (m for m in archive if PurePosixPath(m.name).name == name and m.isfile())
                member = next(members, None)
                content = None if member is None else archive.extractfile(member)
                if content is None:
                    message = f"{shown_path(str(place))} does not hold {name}"
                    raise InputError.of("data.folder", message)
                yield io.BytesIO(content.read())
        except (OSError, EOFError, tarfile.TarError) as error:
            # The first line: behind it are the faults by each way of compressing.
            why = (str(error).splitlines() or [type(error).__name__])[0].removesuffix(":")
            message = f"{self._path(name)} cannot be read ({why})"
            raise InputError.of("data.folder", message) from None

    def _class_names(self) -> tuple[str, ...]:
        """Those of the file that comes with them; the numbers where it is not there."""
        place = self._place()
        if place.name != self.archive and not is_file(place / self.names_file):
            return tuple(map(str, range(self.class_count)))
        with self._opened(self.names_file) as file:
            names = tuple(file.read().decode("utf-8", "replace").split())
        if len(names) != self.class_count:
            wanted = f"{self.class_count} needed"
            message = f"{self._path(self.names_file)} holds {len(names)} names; {wanted}"
            raise InputError.of("data.folder", message)
        return names


class Cifar10(_Cifar):
    """60,000 small photographs of ten classes."""

    Config = Cifar10Config
    files: ClassVar[dict[Part, tuple[str, ...]]] = {
        "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        "test": ("test_batch.bin",),
    }
    inner, archive = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
    python, label_bytes = "cifar-10-batches-py", 1


class Cifar100(_Cifar):
    """60,000 small photographs of a hundred classes."""

    Config = Cifar100Config
    files: ClassVar[dict[Part, tuple[str, ...]]] = {"train": ("train.bin",), "test": ("test.bin",)}
    inner, archive = "cifar-100-binary", "cifar-100-binary.tar.gz"
    python, label_bytes = "cifar-100-python", 2

    @property
    def label_at(self) -> int:
        """A record begins with the coarse label."""
        return 1 if self.config.classes == "fine" else 0

    @property
    def class_count(self) -> int:
        return 100 if self.config.classes == "fine" else 20

    @property
    def names_file(self) -> str:
        return f"{self.config.classes}_label_names.txt"


def _holds_pickles(folder: Path) -> bool:
    return any(is_file(folder / name) for name in ("data_batch_1", "train", "batches.meta", "meta"))
