"""The pictures of one part with what is marked on them, each checked."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from trainers.transfer.data.packed_records import PackedRecords

_READING = b"boxes and masks 1\n"
"""Changes when the same files come to be read as other samples."""


class Annotation(TypedDict):
    """One thing on a picture.

    Attributes:
        label: number of its class, from 1. bbox: x, y, width and height, in pixels.
        area: in pixels. iscrowd: 1 where it stands for many things that are not told apart.
        segmentation: polygons, or run lengths as {"size": [h, w], "counts": …}; None without.
    """

    label: int
    bbox: list[float]
    area: float
    iscrowd: int
    segmentation: Any


@dataclass(frozen=True, slots=True)
class DetectionIndex:
    """Pictures in the order of their file names.

    Attributes:
        folder: that the files lie below. files: paths from there.
        sizes: (images, 2) height and width in pixels, as the annotations see it.
        upright: (images,) whether they see it turned as it says of itself.
        annotations: by picture, a list of `Annotation`.
        counts: (images,) how many there are that are no crowd.
        digests: of the bytes of each file.
    """

    folder: Path
    files: tuple[str, ...]
    sizes: NDArray[np.int64]
    upright: NDArray[np.bool_]
    annotations: PackedRecords
    counts: NDArray[np.int64]
    digests: tuple[bytes, ...]

    def only(self, positions: NDArray[np.int64]) -> "DetectionIndex":
        """Some of its pictures, in the given order."""
        return replace(
            self,
            files=tuple(self.files[i] for i in positions),
            sizes=self.sizes[positions],
            upright=self.upright[positions],
            annotations=self.annotations.only(positions.tolist()),
            counts=self.counts[positions],
            digests=tuple(self.digests[i] for i in positions),
        )

    def add_to(self, digest: "hashlib._Hash") -> None:
        """Names, contents, sizes and annotations of all pictures, into a hash."""
        digest.update(_READING)
        for i, file in enumerate(self.files):
            digest.update(os.fsencode(file) + b"\0" + self.digests[i])
            height, width = self.sizes[i].tolist()
            digest.update(f"{height} {width} {int(self.upright[i])}\n".encode())
            digest.update(self.annotations.text(i) + b"\n")
