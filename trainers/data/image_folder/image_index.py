"""The images of a folder that are used, what a worker must find there, and copies among them."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from space.input.paths import shown_path
from trainers.data.image_folder.decoding import read_opened
from trainers.data.image_folder.picture_files import PictureFiles
from trainers.outcome import UnreadableData

_READING = b"pictures as shown 2\n"
"""Changes when the same bytes come to be read as other pixels."""
_LABELLED = b"by labels\n"


@dataclass(frozen=True, slots=True)
class ImageIndex:
    """Pictures to train on, or to test on, class by class, in the order of their names.

    That is the order of torchvision's ImageFolder.

    Attributes:
        pictures: what holds the files. classes: their names, sorted.
        files: names in `pictures`. sizes: (images,) bytes. labels: (images,) class numbers.
        digests: of the bytes of each file; empty where a worker relies on the driver's pass.
        left_out: broken files, by `plain_name`. remarks: sentences on what does not count.
        validation: (images,) whether a picture is of the validation part, where the data say that;
            None where a share of the pictures is drawn for it.
        class_in_name: whether the name of a file says its class, as a path with the class folder
            does; else the class counts for the content hash too.
    """

    pictures: PictureFiles
    classes: tuple[str, ...]
    files: tuple[str, ...]
    sizes: NDArray[np.int64]
    labels: NDArray[np.int64]
    digests: tuple[bytes, ...] = ()
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)
    validation: NDArray[np.bool_] | None = None
    class_in_name: bool = True

    @property
    def folder(self) -> Path:
        """What the files lie below."""
        return self.pictures.folder

    def place_of_class(self, name: str) -> str:
        """Where the pictures of a class lie, for messages."""
        if self.class_in_name and self.validation is None:
            return shown_path(str(self.folder / name))
        return f"class {shown_path(name)} of {shown_path(str(self.folder))}"

    def read(self, position: int, background: str) -> Image.Image:
        """A picture, upright, in RGB.

        Raises:
            UnreadableData: naming the file.
        """
        name = self.files[position]
        path = self.pictures.path(name)
        return read_opened(lambda: self.pictures.open(name), path, background)

    @property
    def content_hash(self) -> str:
        """16 hex digits over the names and contents of all files."""
        digest = hashlib.sha256(_READING if self.class_in_name else _LABELLED + _READING)
        for file, label, content in zip(self.files, self.labels, self.digests, strict=True):
            told = b"" if self.class_in_name else os.fsencode(self.classes[label]) + b"\0"
            digest.update(told + os.fsencode(file) + b"\0" + content)
        return digest.hexdigest()[:16]

    def listing(self) -> dict[str, str]:
        """By class, its number of pictures and a hash over their names and sizes."""
        bounds = np.searchsorted(self.labels, np.arange(len(self.classes) + 1))
        return {
            plain_name(name): self._hash_of(*bounds[i : i + 2])
            for i, name in enumerate(self.classes)
        }

    def _hash_of(self, start: int, stop: int) -> str:
        digest = hashlib.sha256()
        for file, size in zip(self.files[start:stop], self.sizes[start:stop], strict=True):
            digest.update(os.fsencode(file) + f"\0{size}\n".encode())
        return f"{stop - start} {digest.hexdigest()[:16]}"

    def classes_without_pictures(self) -> tuple[str, ...]:
        """Names of the classes that nothing is labelled with."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return tuple(self.classes[i] for i in np.flatnonzero(counts == 0))

    def only(self, positions: NDArray[np.int64]) -> "ImageIndex":
        """The index of some of its pictures, in the given order."""
        return replace(
            self,
            files=tuple(self.files[i] for i in positions),
            sizes=self.sizes[positions],
            labels=self.labels[positions],
            digests=tuple(self.digests[i] for i in positions) if self.digests else (),
            validation=None if self.validation is None else self.validation[positions],
        )


@dataclass(frozen=True, slots=True)
class Inspected:
    """The content hash, and the listing that it holds for.

    Attributes:
        listing: by class, the number of pictures and a hash of their names and sizes.
        left_out: names of broken files. All names are as `plain_name` writes them.
    """

    content_hash: str
    listing: Mapping[str, str]
    left_out: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return {
            "content_hash": self.content_hash,
            "listing": dict(self.listing),
            "left_out": list(self.left_out),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Inspected":
        """What `to_dict` made."""
        return cls(values["content_hash"], values["listing"], tuple(values["left_out"]))

    def check(self, index: ImageIndex) -> None:
        """Compare with what lies in the folder now.

        Raises:
            UnreadableData: naming the class folder that differs.
        """
        now = index.listing()
        for name in sorted({*now, *self.listing}):
            if now.get(name) != self.listing.get(name):
                before, after = (_count(each.get(name)) for each in (self.listing, now))
                place = index.place_of_class(os.fsdecode(unquote_to_bytes(name)))
                raise UnreadableData(
                    f"{place} does not hold the files that it held when the run "
                    f"began: {before} pictures then, {after} now"
                )


def plain_name(name: str) -> str:
    """A name of a file in ASCII, to be carried anywhere: other names are other texts."""
    return quote_from_bytes(os.fsencode(name))


def _count(entry: str | None) -> str:
    return "no" if entry is None else entry.split()[0]


def remarks_on_copies(parts: Mapping[str, ImageIndex], flattered: str) -> tuple[str, ...]:
    """A sentence on the pictures of the first part that are in the second too, or none.

    Args:
        parts: two, by what they are called; of folders with a slash at the end, which then stands
            before the files.
        flattered: what comes out too well for that.
    """
    (here, index), (there, other) = parts.items()
    first: dict[bytes, str] = {}
    for file, digest in zip(other.files, other.digests, strict=True):
        first.setdefault(digest, file)
    copies = [
        (file, first[digest])
        for file, digest in zip(index.files, index.digests, strict=True)
        if digest and digest in first
    ]
    if not copies:
        return ()
    one, equal = (
        shown_path(name + file if name.endswith("/") else file)
        for name, file in zip((here, there), copies[0], strict=True)
    )
    noun, verb = ("picture", "is") if len(copies) == 1 else ("pictures", "are")
    where = f"both in {here} and in {there}"
    said = f"{len(copies):,} {noun} {verb} {where}, such as {one} and {equal}"
    return (f"{said}: the {flattered} will flatter",)


def remarks_on_labels(index: ImageIndex) -> tuple[str, ...]:
    """A sentence on pictures that stand in more than one class, by their content, or none."""
    first: dict[bytes, int] = {}
    pairs = [
        (first[digest], place)
        for place, digest in enumerate(index.digests)
        if digest and index.labels[first.setdefault(digest, place)] != index.labels[place]
    ]
    if not pairs:
        return ()
    one, other = (shown_path(index.files[place]) for place in pairs[0])
    noun, verb = ("picture", "stands") if len(pairs) == 1 else ("pictures", "stand")
    said = f"{len(pairs):,} {noun} {verb} in a second class too, such as {one} and {other}"
    return (f"{said}: one of the labels is wrong",)
