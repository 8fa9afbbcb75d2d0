"""Data by the names of timm's `create_dataset`, where a picture can be read by its number.

These are timm's folders, with its order of the classes, and data sets of Hugging Face where their
package `datasets` is installed. What timm reads as a stream has no number for a picture, so that
neither its content nor its order could be held fast: it is refused, with what reads the same.
"""

import io
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from pydantic import model_validator

from space.errors import InputError, Problem, refuse
from space.input.paths import Folder, is_folder, shown_path
from space.wording import as_written
from trainers.data.data_kind import Part
from trainers.data.image_folder.image_index import ImageIndex
from trainers.data.image_folder.indexing import Listed
from trainers.data.image_folder.picture_files import PictureFiles, Place
from trainers.data.picture_kind import PictureConfig, PictureKind

_WHERE = "data.dataset"
_FOLDER, _HUGGING_FACE = "folder", "hfds/"
_ELSEWHERE = {
    "wds/": "shards are read in a fixed order by data.name 'tar-shards'",
    "hfids/": "a stream has no fixed order; 'hfds/NAME' reads the same data set",
    "tfds/": "a stream has no fixed order; write the data set as an image folder or as tar shards",
    "torch/cifar": "read it by data.name 'cifar10' or 'cifar100': torchvision's are pickles",
    "torch/": "read it by data.name 'idx' or 'image-folder'",
}
"""Other beginnings of timm's names, and what reads such data here."""
_SHOWN = 5


class TimmConfig(PictureConfig):
    """What timm's `create_dataset` takes.

    Attributes:
        dataset: "folder", with class folders at `folder`, or "hfds/NAME" for a data set of
            Hugging Face.
        folder: where it lies; of Hugging Face, where downloads are kept.
        split: to train and validate on. test_split: for the test; null keeps a share of `split`.
        input_key, target_key: columns of the picture and of the label, of Hugging Face.
    """

    name: Literal["timm"] = "timm"
    dataset: str
    folder: Folder | None = None
    split: str = "train"
    test_split: str | None = None
    input_key: str = "image"
    target_key: str = "label"

    @model_validator(mode="after")
    def _is_read_by_number(self) -> Self:
        name = self.dataset
        if name != _FOLDER and not name.startswith(_HUGGING_FACE):
            hint = next((h for start, h in _ELSEWHERE.items() if name.startswith(start)), "")
            said = f"must be 'folder' or 'hfds/NAME'; got {as_written(name)}"
            raise InputError.of("dataset", said + (f": {hint}" if hint else ""))
        if name == _FOLDER and self.folder is None:
            raise InputError.of("folder", "this field is required where dataset is 'folder'")
        if self.test_split == self.split:
            raise InputError.of("test_split", f"must be another than split; got {self.split!r}")
        return self


class TimmDataset(PictureKind):
    """Pictures that timm's readers find."""

    Config = TimmConfig
    config: TimmConfig

    def classes(self) -> tuple[str, ...]:
        return self._classes

    def test_place(self) -> Path | None:
        return None if self.config.test_split is None else Path(self.config.test_split)

    def part_names(self) -> tuple[str, str]:
        return "the pictures of the search", "the test split"

    def listed(self, part: Part) -> Listed:
        split = self.config.test_split if part == "test" else None
        reader = self._reader if split is None else _made(self.config, split)
        if split is not None and getattr(reader, "root", None) == getattr(self._reader, "root", 0):
            self._refuse_same(reader, split)
        labels = _labels(reader, split or self.config.split)
        if len(strange := np.flatnonzero(labels >= len(self._classes))):
            message = f"{split} holds label {labels[strange[0]]}, which {self.config.split} has not"
            raise InputError.of(_WHERE, message)
        order = np.argsort(labels, kind="stable")
        index = ImageIndex(
            InReader(reader, self.config, split or self.config.split),
            self._classes,
            tuple(f"{number:09}" for number in order),
            _sizes(reader)[order],
            labels[order],
            class_in_name=False,
        )
        return Listed(index)

    def _refuse_same(self, reader: Any, split: str) -> None:
        """timm takes the whole folder where it finds none of the split's name."""
        if self.config.dataset == _FOLDER:
            message = f"{shown_path(str(reader.root))} has no folder for {split!r}"
            raise InputError.of("data.test_split", message)

    @cached_property
    def _reader(self) -> Any:
        return _made(self.config, self.config.split)

    @cached_property
    def _classes(self) -> tuple[str, ...]:
        """By timm's numbers, or by labels that have no names."""
        names: Mapping[str, int] = self._reader.class_to_idx
        labels = _labels(self._reader, self.config.split)
        found = tuple(sorted(names, key=lambda name: names[name]))
        found = found or tuple(map(str, range(int(labels.max(initial=-1)) + 1)))
        if len(found) < 2:
            said = f"{self.config.dataset} has {len(found)} classes; at least 2 are needed"
            raise InputError.of(_WHERE, said)
        return found


def _made(config: TimmConfig, split: str) -> Any:
    """The reader of timm's data set of a split.

    Raises:
        InputError: it is not there, or cannot be read, or a package is missing.
    """
    if config.dataset.startswith(_HUGGING_FACE) and find_spec("datasets") is None:
        message = f"{config.dataset!r} needs the package datasets: pip install datasets"
        raise InputError.of(_WHERE, message)
    if config.folder is not None and config.dataset == _FOLDER and not is_folder(config.folder):
        tar = config.folder.suffix == ".tar"
        also = "; tars are read by data.name 'tar-shards', from their folder" if tar else ""
        message = f"{shown_path(str(config.folder))} is not a folder{also}"
        raise InputError.of("data.folder", message)
    from trainers.timm_support import prepare_timm

    prepare_timm()
    from timm.data import create_dataset

    options: dict[str, Any] = {}
    if config.dataset != _FOLDER:
        options = {"input_key": config.input_key, "target_key": config.target_key}
    root = None if config.folder is None else str(config.folder)
    name = "" if config.dataset == _FOLDER else config.dataset
    try:
        return create_dataset(name, root=root, split=split, **options).reader
    except Exception as error:
        said = f"{config.dataset!r}, split {split!r}, cannot be opened"
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError.of(_WHERE, f"{said}: {lines[0][:300]}") from error


def _labels(reader: Any, split: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The class number of each picture; no picture is read."""
    if hasattr(reader, "iter_targets"):
        found: Sequence[Any] = list(reader.iter_targets())
    else:
        found = [label for _, label in reader.samples]
    wrong = [
        number
        for number, label in enumerate(found)
        if isinstance(label, bool) or not isinstance(label, int) or label < 0
    ]
    refuse(
        Problem(_WHERE, f"picture {number:,} of {split} has label {as_written(found[number])}")
        for number in wrong[:_SHOWN]
    )
    if not found:
        raise InputError.of(_WHERE, f"{split} holds no pictures")
    return np.array(found, np.int64)


def _sizes(reader: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Bytes of each picture in a file of its own; 0 of others."""
    files = [path for path, _ in getattr(reader, "samples", ())]
    return np.array([*map(_size, files)] if files else [0] * len(reader), np.int64)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # reading it tells what is wrong
        return 0


class InReader(PictureFiles):
    """Pictures that one of timm's readers gives by their number."""

    def __init__(self, reader: Any, config: TimmConfig, split: str) -> None:
        self.folder = Path(config.dataset) if config.folder is None else config.folder
        self._reader, self._split = reader, split

    def path(self, name: str) -> str:
        number = int(name)
        try:
            file = self._reader.filename(number)
        except (OSError, LookupError, NotImplementedError):
            file = None
        return f"{self.folder}, picture {number} of {self._split}" + (f" ({file})" if file else "")

    def place(self, name: str) -> Place:
        return Place(name, "")

    def open(self, name: str) -> BinaryIO:
        with self._reader[int(name)][0] as file:
            return io.BytesIO(file.read())
