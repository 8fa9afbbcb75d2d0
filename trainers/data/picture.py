"""Reads a picture as a viewer shows it: upright, on a background, in eight bits of RGB.

Grey of 16 bits is scaled by its full range, so that 65535 is white; so is what PNG and PGM keep in
32 bits. Other 32-bit integers, and floats that leave 0 to 1, have no range that a file would state:
there the darkest value of a picture becomes black and its lightest white. Floats within 0 to 1
count from black to white. Of an animation the first frame counts.
"""

import errno
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from space.paths import shown_path
from trainers.failures import UnreadableData

BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}

_NOT_OF_THE_FILE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}
)
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
)
"""What Pillow raises of files that are damaged."""

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WITH_ALPHA = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
_MIDDLE_GREY = 128


def is_of_the_file(error: BaseException) -> bool:
    """Whether an error says something of the file, rather than of the machine that reads it."""
    return not (isinstance(error, OSError) and error.errno in _NOT_OF_THE_FILE)


def read_picture(path: Path, background: str = "white") -> Image.Image:
    """A file as an upright RGB picture.

    Raises:
        UnreadableData: naming the file, whatever is wrong with it.
    """
    try:
        with path.open("rb") as file:
            return decode(file, background)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise
        message = f"{shown_path(str(path))} is not a readable image ({why(error)})"
        raise UnreadableData(message) from None


def why(error: BaseException) -> str:
    """What is wrong with a picture, on one line, without the path, which the caller names."""
    if isinstance(error, UnidentifiedImageError):
        return "no kind of picture that is known here"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).splitlines()
    return words[0][:200] if words and words[0] else type(error).__name__


def decode(file: BinaryIO, background: str = "white") -> Image.Image:
    """The picture in an open file; raises one of `BROKEN`."""
    with Image.open(file) as picture:
        picture.load()
        return as_shown(picture, background)


def as_shown(picture: Image.Image, background: str = "white") -> Image.Image:
    """A loaded picture as RGB, upright, without transparency.

    Raises:
        ValueError: its kind of pixels has no colours that could be shown.
    """
    turn = _UPRIGHT.get(_orientation(picture))
    coloured = _coloured(picture, background)
    return coloured if turn is None else coloured.transpose(turn)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except BROKEN:  # viewers show a picture whose notes are damaged, as it lies
        return 1


def _coloured(picture: Image.Image, background: str) -> Image.Image:
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _grey(picture).convert("RGB")
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        return _on(background, picture)
    return picture.convert("RGB")


def _on(background: str, picture: Image.Image) -> Image.Image:
    # Of "La" and "PA" Pillow knows one step only.
    if picture.mode in ("La", "RGBa"):
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    seen_through = picture.convert("RGBA")
    under = Image.new("RGBA", picture.size, (*BACKGROUNDS[background], 255))
    return Image.alpha_composite(under, seen_through).convert("RGB")


def _grey(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    of_16_bits = picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM")
    if of_16_bits and picture.mode != "F":
        # The same rounding as of pictures that were brought to 8 bits: 257 steps a level.
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    return Image.fromarray(_from_darkest_to_lightest(values.astype(np.float64)))


def _from_darkest_to_lightest(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    if not np.isfinite(values).all():
        raise ValueError("some of its pixels are no numbers, or infinite")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if low >= 0 and 0 < high <= 1:
        low, high = 0.0, 1.0
    if low == high:
        return np.full(values.shape, _MIDDLE_GREY, np.uint8)
    return np.asarray(np.rint((values - low) / (high - low) * 255), np.uint8)
