"""Masks whose pixels are class numbers: PNG in grey or with a palette, as ADE20K has them."""

import hashlib
import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from space.input.paths import shown_path
from trainers.data.image_folder.decoding import (
    BROKEN,
    fault_of_the_machine,
    is_of_the_file,
    readable_formats,
    why,
)
from trainers.outcome import UnreadableData

SUFFIXES = (".png", ".bmp", ".gif", ".tif", ".tiff")
"""Files that keep numbers as they are; JPEG does not."""
_MODES = ("1", "L", "P", "I;16", "I;16B", "I")


class MaskFacts(NamedTuple):
    """What a mask holds.

    Attributes:
        digest: of the bytes of the file. height, width: in pixels. values: that occur, rising.
    """

    digest: bytes
    height: int
    width: int
    values: tuple[int, ...]


def read_mask(path: Path) -> NDArray[np.uint16]:
    """(H, W) the numbers of a mask.

    Raises:
        UnreadableData: naming the file.
    """
    try:
        return _numbers(path.read_bytes())
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, path) from error
        message = f"{shown_path(str(path))} is not a readable mask ({why(error)})"
        raise UnreadableData(message) from None


def inspect_masks(paths: Sequence[Path]) -> list[MaskFacts | str]:
    """What each mask holds, or what is wrong with it; all are read.

    Raises:
        OSError: of the machine rather than of a file, as when too many files are open.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(_facts, paths))


def _facts(path: Path) -> MaskFacts | str:
    try:
        content = path.read_bytes()
        numbers = _numbers(content)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, path) from error
        return why(error)
    values = np.flatnonzero(np.bincount(numbers.ravel())).tolist()
    height, width = numbers.shape
    return MaskFacts(hashlib.sha256(content).digest(), height, width, tuple(values))


def _numbers(content: bytes) -> NDArray[np.uint16]:
    """Pixels as they stand in the file: an index into a palette, or a value of grey."""
    with Image.open(io.BytesIO(content), formats=readable_formats()) as picture:
        picture.load()
        if picture.mode not in _MODES:
            message = f"its pixels are colours ({picture.mode}), and no numbers of classes"
            raise ValueError(message)
        numbers = np.asarray(picture)
    if numbers.size and (numbers.min() < 0 or numbers.max() > 65535):
        raise ValueError(f"holds numbers from {numbers.min()} to {numbers.max()}")
    return numbers.astype(np.uint16)
