"""Reads an image file as a viewer shows it: upright, on a background, in eight bits of RGB.

Which files count goes by suffix and kind, as Pillow can read them here. Grey of more than eight
bits is scaled as `deep_grey` says. Of an animation and of several pages the first picture counts.
Colour profiles are not applied: numbers are read as sRGB.
"""

import errno
import os
import re
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError, features

from space.input.paths import shown_path
from trainers.data.image_folder.deep_grey import in_8_bits, is_deep_grey
from trainers.outcome import UnreadableData

BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}

_NOT_OF_THE_FILE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}
)
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
    MemoryError,
    Image.DecompressionBombError,
)
"""What Pillow and the decoders below it raise of damaged files, and where memory is short."""
_OUT_OF_MEMORY = re.compile(r"out of memory|can't start new thread", re.IGNORECASE)
"""How decoders say that it was the machine, in errors without a number."""

_BAND = 1 << 22
"""Pixels that are put on the background at once."""
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


def is_of_the_file(error: BaseException) -> bool:
    """Whether an error says something of the file, rather than of the machine that reads it."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno not in _NOT_OF_THE_FILE
    if isinstance(error, MemoryError):
        return False
    return _OUT_OF_MEMORY.search(str(error)) is None


def fault_of_the_machine(error: BaseException, path: Path | str) -> OSError:
    """The fault as one of the system, naming the file; want of memory is none of a network's."""
    number = error.errno if isinstance(error, OSError) else None
    number = errno.ENOMEM if number is None else number
    return OSError(number, os.strerror(number), shown_path(str(path)))


def read_picture(path: Path, background: str) -> Image.Image:
    """A file as an upright RGB picture.

    Raises:
        UnreadableData: naming the file, whatever is wrong with it.
        OSError: of the machine that reads it, as for want of memory.
    """
    return read_opened(lambda: path.open("rb"), str(path), background)


def read_opened(opened: Callable[[], BinaryIO], path: str, background: str) -> Image.Image:
    """What a file, or a part of one, holds, as `read_picture`.

    Args:
        opened: gives the bytes. path: what it is called in messages.
        background: what lies behind transparent pixels.
    """
    try:
        with opened() as file:
            return decode(file, background)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, path) from error
        message = f"{shown_path(path)} is not a readable image ({why(error)})"
        raise UnreadableData(message) from None


def why(error: BaseException) -> str:
    """What is wrong with a picture, on one line, without the path, which the caller names."""
    if isinstance(error, UnidentifiedImageError):
        return "no kind of picture that is known here"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    words = str(error).splitlines()
    return shown_path(words[0]) if words and words[0] else type(error).__name__


def decode(file: BinaryIO, background: str = "white") -> Image.Image:
    """The picture in an open file; raises one of `BROKEN`."""
    with Image.open(file, formats=readable_formats()) as picture:
        picture.load()
        return as_shown(picture, background)


def read_header(file: BinaryIO) -> None:
    """Look what an open file says of itself, without its pixels; raises one of `BROKEN`."""
    Image.open(file, formats=readable_formats())


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
    if is_deep_grey(picture):
        return in_8_bits(picture).convert("RGB")
    if picture.has_transparency_data:
        return _on(background, picture)
    return picture.convert("RGB")


def _on(background: str, picture: Image.Image) -> Image.Image:
    """Band by band: at once, a large picture would take several times its memory."""
    shown = Image.new("RGB", picture.size)
    rows = max(1, _BAND // picture.width)
    for top in range(0, picture.height, rows):
        box = (0, top, picture.width, min(top + rows, picture.height))
        shown.paste(_band_on(background, picture.crop(box)), box)
    return shown


def _band_on(background: str, picture: Image.Image) -> Image.Image:
    if picture.mode == "La":  # Pillow knows one step of it only
        picture = picture.convert("LA")
    seen_through = picture.convert("RGBA")
    under = Image.new("RGBA", picture.size, (*BACKGROUNDS[background], 255))
    return Image.alpha_composite(under, seen_through).convert("RGB")


_FORMATS = frozenset(
    {
        "AVIF",
        "BMP",
        "DIB",
        "GIF",
        "JPEG",
        "JPEG2000",
        "PCX",
        "PNG",
        "PPM",
        "QOI",
        "SGI",
        "TGA",
        "TIFF",
        "WEBP",
    }
)
"""Kinds of one picture of pixels; not the documents, films and tables that Pillow also knows."""
_NEEDS = {"AVIF": "avif", "WEBP": "webp", "JPEG": "jpg", "JPEG2000": "jpg_2000", "PNG": "zlib"}


@lru_cache(maxsize=1)
def suffixes() -> tuple[str, ...]:
    """Such as (".avif", ".bmp", …), sorted, in lower case.

    They are asked of the Pillow at hand, so another one may know others. A worker compares what it
    lists with what the driver listed (`Inspected`), and a difference is told.
    """
    known = Image.registered_extensions()
    return tuple(sorted(suffix for suffix, kind in known.items() if _is_readable(kind)))


@lru_cache(maxsize=1)
def readable_formats() -> tuple[str, ...]:
    """Pillow's names of the kinds that a file may be of, whatever its name: ("AVIF", "BMP", …).

    Pillow would open others, and hand PostScript that is named .jpg to a program that runs it.
    """
    Image.init()
    return tuple(sorted(kind for kind in _FORMATS if _is_readable(kind)))


def listed_suffixes() -> str:
    """All of them in a sentence."""
    return " ".join(suffixes())


def _is_readable(kind: str) -> bool:
    if kind not in _FORMATS or kind not in Image.OPEN:
        return False
    return kind not in _NEEDS or bool(features.check(_NEEDS[kind]))
