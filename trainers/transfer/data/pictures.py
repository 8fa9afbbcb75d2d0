"""Pictures as their annotations see them: as they lie in the file, unless those say otherwise."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from space.input.paths import shown_path
from trainers.data.image_folder.decoding import (
    BROKEN,
    as_shown,
    fault_of_the_machine,
    is_of_the_file,
    readable_formats,
    why,
)
from trainers.outcome import UnreadableData

_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations of EXIF by which a viewer shows the picture with width and height exchanged."""


class Frame(NamedTuple):
    """The size of a picture as it lies in the file, in pixels.

    Attributes:
        on_its_side: whether viewers turn it by a quarter, by what it says of itself.
    """

    height: int
    width: int
    on_its_side: bool = False

    @property
    def lying(self) -> tuple[int, int]:
        """Height and width, as programs see it that look at the pixels alone."""
        return self.height, self.width

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width, as viewers show it."""
        return (self.width, self.height) if self.on_its_side else self.lying


def frames_of(paths: Sequence[Path]) -> list[Frame | str]:
    """The sizes of pictures by what the files say of themselves, or what is wrong with one.

    Raises:
        OSError: of the machine rather than of a file, as when too many files are open.
    """
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(_frame, paths, chunksize=64))


def _frame(path: Path) -> Frame | str:
    try:
        with Image.open(path, formats=readable_formats()) as picture:
            turned = picture.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
            return Frame(picture.height, picture.width, turned)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, path) from error
        return why(error)


def read_picture(path: Path, *, upright: bool = False) -> Image.Image:
    """A picture in eight bits of RGB, transparency on white.

    Args:
        upright: whether it is turned as it says of itself. COCO's own tools do not, so its boxes
            are where the pixels lie in the file; programs that people annotate with often do.

    Raises:
        UnreadableData: naming the file.
        OSError: of the machine that reads it, as for want of memory.
    """
    try:
        with Image.open(path, formats=readable_formats()) as picture:
            picture.load()
            if not upright:
                picture.getexif().pop(_ORIENTATION, None)
            return as_shown(picture)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, path) from error
        message = f"{shown_path(str(path))} is not a readable image ({why(error)})"
        raise UnreadableData(message) from None
