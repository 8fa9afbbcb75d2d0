"""Brings grey of more than eight bits to eight, by the range that its file states.

Grey of up to 16 bits is scaled by its full range, so that 65535 of 16 bits and 4095 of 12 are
white; so is what PNG and PGM keep in 32 bits. Other 32-bit integers, and floats that leave 0 to 1,
have no range that a file would state: there the darkest value of a picture becomes black and its
lightest white. Floats within 0 to 1 count from black to white. Where a TIFF says that 0 is white,
all is turned round.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_MIDDLE = 128
_PART = 1 << 20
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _UNSIGNED = 0, 1


def is_deep_grey(picture: Image.Image) -> bool:
    """Whether its pixels are single numbers that eight bits do not hold."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def in_8_bits(picture: Image.Image) -> Image.Image:
    """A loaded picture of deep grey in mode L.

    Raises:
        ValueError: a pixel is no number, or infinite.
    """
    tags: Mapping[int, Any] = getattr(picture, "tag_v2", {})
    values = np.asarray(picture)
    if picture.mode == "I" and _first(tags, _BITS) == 32 and _is_unsigned(tags):
        values = values.view(np.uint32)  # Pillow knows signed ones only
    white = _white(picture, tags)
    if white is None:
        levels = _from_darkest_to_lightest(values)
    else:
        # The same rounding as of pictures that were brought to 8 bits: 257 steps a level of 16.
        levels = _part_by_part(
            values,
            lambda part: np.minimum((part.astype(np.int64) * 255 + white // 2) // white, 255),
        )
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        np.subtract(255, levels, out=levels)
    return Image.fromarray(levels)


def _white(picture: Image.Image, tags: Mapping[int, Any]) -> int | None:
    """The value that is white; None where the file does not state it."""
    if picture.mode.startswith("I;16"):
        return 4095 if _first(tags, _BITS) == 12 else 65535
    return 65535 if picture.mode == "I" and picture.format in ("PNG", "PPM") else None


def _is_unsigned(tags: Mapping[int, Any]) -> bool:
    return _first(tags, _SAMPLE_FORMAT) in (None, _UNSIGNED)


def _first(tags: Mapping[int, Any], tag: int) -> Any:
    value = tags.get(tag)
    return value[0] if isinstance(value, tuple) and value else value


def _from_darkest_to_lightest(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("some of its pixels are no numbers, or infinite")
    if low >= 0 and 0 < high <= 1:
        low, high = 0.0, 1.0
    if low == high:
        return np.full(values.shape, _MIDDLE, np.uint8)
    return _part_by_part(
        values, lambda part: np.rint((part.astype(np.float64) - low) / (high - low) * 255)
    )


def _part_by_part(
    values: NDArray[Any], level_of: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[np.uint8]:
    """Level by level of all, in parts: a large picture would take gigabytes in eight bytes each."""
    flat = values.reshape(-1)
    levels = np.empty(flat.shape, np.uint8)
    for start in range(0, flat.size, _PART):
        part = slice(start, start + _PART)
        levels[part] = level_of(flat[part])
    return levels.reshape(values.shape)
