"""The pictures of one part with their masks of class numbers, each checked."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IGNORED = 255
"""The value of pixels of no class, in what models and metrics get."""

_READING = b"index masks 1\n"
"""Changes when the same files come to be read as other samples."""


@dataclass(frozen=True, slots=True)
class ClassNumbers:
    """What the values in masks mean.

    Attributes:
        classes: how many there are. first: the value of the first one, 0 or 1.
        ignored: the value of pixels that do not count, beside 0 where `first` is 1.
    """

    classes: int
    first: int = 0
    ignored: int | None = IGNORED

    def table(self) -> NDArray[np.uint8]:
        """(65536,) the class of every value, `IGNORED` of those that have none."""
        found = np.full(1 << 16, IGNORED, np.uint8)
        found[self.first : self.first + self.classes] = np.arange(self.classes)
        if self.ignored is not None:
            found[self.ignored] = IGNORED
        return found


@dataclass(frozen=True, slots=True)
class SegmentationIndex:
    """Pictures in the order of their file names.

    Attributes:
        images, masks: folders. files, mask_files: paths from there, pair by pair.
        sizes: (images, 2) height and width of the masks in pixels.
        upright: (images,) whether a picture is turned as it says of itself to fit its mask.
        digests, mask_digests: of the bytes of each file.
    """

    images: Path
    masks: Path
    files: tuple[str, ...]
    mask_files: tuple[str, ...]
    sizes: NDArray[np.int64]
    upright: NDArray[np.bool_]
    digests: tuple[bytes, ...]
    mask_digests: tuple[bytes, ...]

    def only(self, positions: NDArray[np.int64]) -> "SegmentationIndex":
        """Some of its pictures, in the given order."""
        return replace(
            self,
            files=tuple(self.files[i] for i in positions),
            mask_files=tuple(self.mask_files[i] for i in positions),
            sizes=self.sizes[positions],
            upright=self.upright[positions],
            digests=tuple(self.digests[i] for i in positions),
            mask_digests=tuple(self.mask_digests[i] for i in positions),
        )

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Names and contents of all pictures and masks, into a hash."""
        digest.update(_READING)
        for i, file in enumerate(self.files):
            digest.update(os.fsencode(file) + b"\0" + self.digests[i] + self.mask_digests[i])
            digest.update(f"{int(self.upright[i])}\n".encode())
