"""Lists the images of an ImageNet-style folder: train/CLASS/… and val/CLASS/…."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError, Problem
from space.paths import is_folder
from trainers.data.config import DataConfig

# The suffixes that torchvision's ImageFolder takes.
SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

Part = Literal["train", "val"]


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """The images of train/ or val/, in the order of torchvision's ImageFolder.

    Attributes:
        folder: train/ or val/. classes: names of its sub-folders, sorted.
        files: paths below `folder`. sizes: (images,) bytes. labels: (images,) class numbers.
    """

    folder: Path
    classes: tuple[str, ...]
    files: tuple[str, ...]
    sizes: NDArray[np.int64]
    labels: NDArray[np.int64]

    @property
    def content_hash(self) -> str:
        """16 hex digits over names and sizes; reading 150 GB at every start would take too long."""
        digest = hashlib.sha256()
        for file, size in zip(self.files, self.sizes, strict=True):
            digest.update(f"{file}\0{size}\n".encode())
        return digest.hexdigest()[:16]


def index_images(config: DataConfig, part: Part = "train") -> ImageIndex:
    """List train/ or val/, after checking that both are there and hold the same classes.

    val/ is the test split: a search validates on a part of train/ and never lists val/'s images.

    Raises:
        InputError: naming every folder that is missing, empty or does not match.
    """
    assert config.folder is not None
    root = config.folder
    problems = [
        Problem("data.folder", f"{folder} is not a folder")
        for folder in ((root / "train", root / "val") if is_folder(root) else (root,))
        if not is_folder(folder)
    ]
    if problems:
        raise InputError(problems)
    classes = _matching_classes(root)
    return _index(root / part, classes)


def _matching_classes(root: Path) -> tuple[str, ...]:
    train, val = _classes(root / "train"), _classes(root / "val")
    problems = [
        Problem("data.folder", f"{root / part} holds no class folders")
        for part, names in (("train", train), ("val", val))
        if not names
    ]
    if not problems and len(train) < 2:
        message = f"{root / 'train'} holds one class, {train[0]!r}; at least 2 are needed"
        problems.append(Problem("data.folder", message))
    for part, names, others in (("train", train, val), ("val", val, train)):
        if not problems and (alone := sorted(set(names) - set(others))):
            message = f"{root} has classes only in {part}/: {', '.join(alone[:5])}"
            problems.append(Problem("data.folder", message + (", …" if alone[5:] else "")))
            break
    if problems:
        raise InputError(problems)
    return train


def _classes(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.name for entry in entries if entry.is_dir()))
    except OSError as error:
        raise InputError([_unreadable(error, folder)]) from None


def _index(folder: Path, classes: tuple[str, ...]) -> ImageIndex:
    files: list[str] = []
    sizes: list[int] = []
    labels: list[int] = []
    problems: list[Problem] = []
    for label, name in enumerate(classes):
        try:
            found = sorted(_images(folder / name))
        except OSError as error:
            problems.append(_unreadable(error, folder / name))
            continue
        if not found:
            problems.append(Problem("data.folder", f"{folder / name} holds no images"))
        files += [os.path.relpath(path, folder) for path, _ in found]
        sizes += [size for _, size in found]
        labels += [label] * len(found)
    if problems:
        raise InputError(problems)
    return ImageIndex(folder, classes, tuple(files), np.array(sizes), np.array(labels))


def _unreadable(error: OSError, folder: Path) -> Problem:
    place = error.filename or folder
    return Problem("data.folder", f"{place} cannot be read: {error.strerror or error}")


def _images(folder: Path) -> list[tuple[str, int]]:
    """Paths and sizes, or the error of the first part that cannot be read: none is left out."""
    return [
        (path := os.path.join(root, name), os.stat(path).st_size)
        for root, _, names in os.walk(folder, onerror=_refuse, followlinks=True)
        for name in names
        if name.lower().endswith(SUFFIXES)
    ]


def _refuse(error: OSError) -> None:
    raise error
