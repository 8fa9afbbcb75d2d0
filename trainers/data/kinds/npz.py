"""Small images in an .npz file, as of Keras and MedMNIST; nothing in it is unpickled."""

import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from pydantic import Field, PlainValidator, StrictFloat

from space.errors import InputError, Problem, refuse
from space.input.paths import is_file, shown_path, written_path
from trainers.data.data_config import DataConfig
from trainers.data.data_kind import DataShape, Part
from trainers.data.labelled_images import LabelledImages, numbered
from trainers.data.resident_kind import ResidentKind

_WHERE = "data.file"
MAX_BYTES = 1 << 34
"""Of one array."""
_NAMES = {"x": "y", "images": "labels"}
_PARTS = ("train", "val", "test")
_BROKEN = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError)


class NpzConfig(DataConfig):
    """Arrays in an .npz file.

    Attributes:
        file: with x_train and y_train, perhaps x_val and y_val, and x_test and y_test, or
            train_images and train_labels and so on. Images are uint8, (count, height, width),
            or with 1 or 3 channels behind; labels are whole numbers.
        test_fraction: share of the images kept for the test where there is no test part; 0.1
            unless given.
    """

    name: Literal["npz"] = "npz"
    file: Annotated[Path, PlainValidator(written_path)]
    test_fraction: StrictFloat | None = Field(default=None, gt=0, lt=1)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class _Pair(NamedTuple):
    """The arrays of a part, by name."""

    images: str
    labels: str


class Npz(ResidentKind):
    """Images of one size in an .npz file. A validation part of its own is that of the search."""

    Config = NpzConfig
    config: NpzConfig

    def shape(self) -> DataShape:
        """By the headers of the arrays and the labels of the training part."""
        headers, parts = self._checked()
        shape = headers[parts["train"].images].shape
        values = np.unique(self._labels(parts["train"]))
        _, height, width, channels = _normal(shape)
        names = tuple(map(str, values))
        return DataShape(self.config.name, channels, height, width, len(values), names)

    def load(self, part: Part, **options: Any) -> LabelledImages:
        """All images of a part; labels are numbered in their order."""
        _, parts = self._checked()
        values = np.unique(self._labels(parts["train"]))
        if len(values) < 2:
            raise self._refused(f"holds one class, {values[0]}; at least 2 are needed")
        chosen = [parts[part]] if part in parts else [parts["train"]]
        if part == "train" and "val" in parts:
            chosen.append(parts["val"])
        images = [_grey(self._array(pair.images)) for pair in chosen]
        labels = [self._labels(pair) for pair in chosen]
        for pair, each in zip(chosen, labels, strict=True):
            if len(strange := np.setdiff1d(each, values)):
                raise self._refused(f"{pair.labels} holds {strange[0]}, which y of train has not")
        found = LabelledImages(
            np.concatenate(images),
            numbered(np.concatenate(labels), values),
            class_names=tuple(map(str, values)),
            validation=np.repeat([False, True], [*map(len, labels)]) if len(labels) == 2 else None,
            remarks=(_OWN_VALIDATION,) if len(labels) == 2 else (),
        )
        return found if "test" in parts else self.part_of(found, part)

    def _checked(self) -> tuple[Mapping[str, _Header], Mapping[str, _Pair]]:
        """Headers by array, and arrays by part; of two parts, without one called test, val is it.

        Raises:
            InputError: with everything that is missing, or of another shape or type.
        """
        headers = self._headers()
        parts = {
            part: pair
            for part in _PARTS
            for x, y in _NAMES.items()
            for pair in (_Pair(f"{x}_{part}", f"{y}_{part}"), _Pair(f"{part}_{x}", f"{part}_{y}"))
            if pair.images in headers and pair.labels in headers
        }
        if "train" not in parts:
            found = ", ".join(map(shown_path, sorted(headers)[:10])) or "nothing"
            message = (
                f"holds {found}; x_train and y_train, or train_images and train_labels, needed"
            )
            raise self._refused(message)
        if "test" not in parts and "val" in parts:
            parts["test"] = parts.pop("val")
        problems = [each for pair in parts.values() for each in _wrong(pair, headers)]
        sizes = {_normal(headers[pair.images].shape)[1:] for pair in parts.values()}
        if not problems and len(sizes) > 1:
            problems.append(f"has images of several sizes: {', '.join(map(str, sorted(sizes)))}")
        place = shown_path(str(self.config.file))
        refuse(Problem(_WHERE, f"{place} {problem}") for problem in problems)
        if "test" in parts and self.config.test_fraction is not None:
            message = f"{parts['test'].images} is the test split; only without it"
            raise InputError.of("data.test_fraction", message)
        return headers, parts

    def _headers(self) -> Mapping[str, _Header]:
        """Shape and type of each array; no array is read."""
        with self._archive() as archive:
            names = [n for n in archive.namelist() if n.endswith(".npy")]
            found = {}
            for name in names:
                with archive.open(name) as file:
                    version = npy.read_magic(file)
                    is_first = version == (1, 0)
                    read = npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0
                    shape, _, dtype = read(file)
                    start = file.tell()
                stated = start + math.prod(shape) * dtype.itemsize
                held = archive.getinfo(name).file_size
                if not dtype.hasobject and stated != held:
                    raise self._refused(f"{name} states {stated:,} bytes and holds {held:,}")
                if held > MAX_BYTES:
                    raise self._refused(f"{name} has {held:,} bytes; at most {MAX_BYTES:,}")
                found[name.removesuffix(".npy")] = _Header(shape, dtype)
            return found

    def _array(self, name: str) -> NDArray[Any]:
        with self._archive() as archive, archive.open(f"{name}.npy") as file:
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
            return array

    def _labels(self, pair: _Pair) -> NDArray[np.integer]:
        return self._array(pair.labels).reshape(-1)

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        if not is_file(self.config.file):
            raise self._refused("is no file")
        try:
            with zipfile.ZipFile(self.config.file) as archive:
                yield archive
        except InputError:
            raise
        except _BROKEN as error:
            raise self._refused(f"cannot be read as an .npz file ({error})") from None

    def _refused(self, why: str) -> InputError:
        return InputError.of(_WHERE, f"{shown_path(str(self.config.file))} {why}")


_OWN_VALIDATION = (
    "the validation part is that of the file, and protocol.validation_fraction decides nothing"
)


def _wrong(pair: _Pair, headers: Mapping[str, _Header]) -> Iterator[str]:
    """What is wrong with the arrays of a part, by their headers."""
    images, labels = headers[pair.images], headers[pair.labels]
    count = images.shape[0] if images.shape else 0
    if images.dtype != np.uint8:
        yield f"has {pair.images} of {images.dtype}; must be uint8, 0 to 255"
    is_grey = len(images.shape) == 3
    if not is_grey and not (len(images.shape) == 4 and images.shape[3] in (1, 3)):
        yield f"has {pair.images} {images.shape}; must be (count, height, width[, 1 or 3])"
    elif not all(images.shape):
        yield f"has {pair.images} {images.shape}: it is empty"
    if labels.dtype.kind not in "iu":
        yield f"has {pair.labels} of {labels.dtype}; must be whole numbers"
    if labels.shape not in ((count,), (count, 1)):
        yield f"has {pair.labels} {labels.shape}; must be one label an image, ({count},)"


def _normal(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape with one channel written out."""
    return shape if len(shape) == 4 else (*shape, 1)


def _grey(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Without an axis for a single channel."""
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
