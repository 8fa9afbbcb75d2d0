"""Any set of images like MNIST's: idx files of images and labels, gzipped or not, in one folder.

So come MNIST, KMNIST, EMNIST and QMNIST. Images are grey (idx3) or in colour (idx4).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StrictFloat

from space.errors import InputError
from space.input.paths import Folder, is_file, is_folder, shown_path
from trainers.data.data_config import DataConfig
from trainers.data.data_kind import DataShape, Part
from trainers.data.idx import idx_shape, read_idx, read_idx_integers
from trainers.data.labelled_images import LabelledImages, numbered
from trainers.data.resident_kind import ResidentKind

_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<part>train|t10k|test)[-_.](?P<what>images|labels)"
    r"[-_.]idx(?P<dimensions>[1-4])[-_.](?P<kind>ubyte|int)(?:\.gz)?"
)
_BELOW = ("", "raw", "*/raw")
"""Where the files lie in a folder; torchvision puts them into MNIST/raw."""
_CHANNELS = (1, 3)


class IdxConfig(DataConfig):
    """Idx files as MNIST's.

    Attributes:
        folder: that holds train-images-idx3-ubyte and train-labels-idx1-ubyte, gzipped or not, and
            those of the test, which begin with t10k or test.
        subset: what stands before these names, as emnist-letters, where a folder holds several.
        test_fraction: share of the images kept for the test where there are no files of it; 0.1
            unless given.
    """

    name: Literal["idx"] = "idx"
    folder: Folder
    subset: str | None = None
    test_fraction: StrictFloat | None = Field(default=None, gt=0, lt=1)


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one part."""

    images: Path
    labels: Path


class IdxFiles(ResidentKind):
    """Images of one size in idx files."""

    Config = IdxConfig
    config: IdxConfig

    def shape(self) -> DataShape:
        """By the header of the images and the labels of the training part."""
        files = self._found()["train"]
        size = idx_shape(files.images, _dimensions(files.images))
        _, height, width, channels = _checked(files.images, size)
        values = np.unique(_read_labels(files.labels))
        names = self._class_names(values)
        return DataShape(self.config.name, channels, height, width, len(values), names)

    def load(self, part: Part, **options: Any) -> LabelledImages:
        """All images of a part; labels are numbered in their order."""
        files = self._found()
        values = np.unique(_read_labels(files["train"].labels))
        if len(values) < 2:
            place = shown_path(str(files["train"].labels))
            message = f"{place} holds one class, {values[0]}; at least 2 are needed"
            raise InputError.of("data.folder", message)
        chosen = files.get(part, files["train"])
        images, labels = _read(chosen)
        if len(strange := np.setdiff1d(labels, values)):
            place = shown_path(str(chosen.labels))
            message = f"{place} holds label {strange[0]}, which no training image has"
            raise InputError.of("data.folder", message)
        found = LabelledImages(
            images, numbered(labels, values), class_names=self._class_names(values)
        )
        return found if "test" in files else self.part_of(found, part)

    def _found(self) -> Mapping[Part, _Files]:
        """The files by part.

        Raises:
            InputError: saying which files are not there, or which sets there are.
        """
        root = self.config.folder
        if not is_folder(root):
            raise InputError.of("data.folder", f"{shown_path(str(root))} is not a folder")
        folders = [
            each for below in _BELOW for each in sorted(root.glob(below) if below else [root])
        ]
        sets = next((found for folder in folders if (found := _sets_in(folder))), {})
        chosen = self.config.subset
        if chosen is None and len(sets) == 1:
            (chosen,) = sets
        if chosen not in sets:
            raise _no_set(root, sorted(sets), self.config.subset)
        files = sets[chosen]
        if "test" in files and self.config.test_fraction is not None:
            message = f"{shown_path(files['test'].images.name)} is the test split; only without it"
            raise InputError.of("data.test_fraction", message)
        return files

    def _class_names(self, values: NDArray[np.integer]) -> tuple[str, ...]:
        """The labels, or the letters that EMNIST's mapping says they stand for."""
        images = self._found()["train"].images
        subset = _NAME.fullmatch(images.name)
        mapping = images.with_name(f"{subset['set'] if subset else ''}-mapping.txt")
        if not is_file(mapping):
            return tuple(map(str, values))
        try:
            lines = [line.split() for line in mapping.read_text(encoding="ascii").splitlines()]
            letters = {int(line[0]): chr(int(line[1])) for line in lines if line}
            return tuple(letters[int(value)] for value in values)
        except (OSError, ValueError, LookupError, OverflowError) as error:
            message = f"{shown_path(str(mapping))} does not say the letters of all labels ({error})"
            raise InputError.of("data.folder", message) from None


def _sets_in(folder: Path) -> dict[str, dict[Part, _Files]]:
    """Sets whose training part is whole, by what stands before the names of their files."""
    by_name: dict[tuple[str, Part, str], Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # of two the one with .gz comes first
        if (match := _NAME.fullmatch(path.name)) and is_file(path):
            part: Part = "train" if match["part"] == "train" else "test"
            by_name[match["set"], part, match["what"]] = path
    sets: dict[str, dict[Part, _Files]] = {}
    for name, part in {key[:2]: None for key in by_name}:
        images, labels = (by_name.get((name, part, what)) for what in ("images", "labels"))
        if images is not None and labels is not None:
            sets.setdefault(name, {})[part] = _Files(images, labels)
    return {name: parts for name, parts in sets.items() if "train" in parts}


def _no_set(root: Path, sets: list[str], asked: str | None) -> InputError:
    place = shown_path(str(root))
    if sets:
        named = ", ".join(repr(each) for each in sets)
        got = "" if asked is None else f"; got {asked!r}"
        return InputError.of("data.subset", f"must be one of those in {place}: {named}{got}")
    message = (
        f"{place} does not hold train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz], "
        "also with the name of a set before them"
    )
    return InputError.of("data.folder", message)


def _dimensions(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None, "found by it"
    return int(match["dimensions"])


def _checked(path: Path, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """(images, height, width, channels) of the shape of a file of images."""
    count, height, width, channels = size if len(size) == 4 else (*size, 1)
    if channels not in _CHANNELS:
        message = f"{shown_path(str(path))} holds images of {channels} channels; allowed: 1 or 3"
        raise InputError.of("data.folder", message)
    return count, height, width, channels


def _read(files: _Files) -> tuple[NDArray[np.uint8], NDArray[np.integer]]:
    dimensions = _dimensions(files.images)
    if dimensions not in (3, 4):
        message = f"{shown_path(str(files.images))} must be idx3 or idx4; got idx{dimensions}"
        raise InputError.of("data.folder", message)
    images, labels = read_idx(files.images, dimensions), _read_labels(files.labels)
    channels = _checked(files.images, images.shape)[3]
    if len(images) != len(labels):
        message = (
            f"{shown_path(str(files.images))} holds {len(images)} images, "
            f"{shown_path(str(files.labels))} {len(labels)} labels"
        )
        raise InputError.of("data.folder", message)
    return images if images.ndim == 3 or channels == 3 else images[..., 0], labels


def _read_labels(path: Path) -> NDArray[np.integer]:
    """One label an image; of QMNIST's several columns the first."""
    dimensions, is_bytes = _dimensions(path), "ubyte" in path.name
    read = read_idx if is_bytes else read_idx_integers
    found: NDArray[np.integer] = read(path, dimensions)
    return found if found.ndim == 1 else found.reshape(len(found), -1)[:, 0]
