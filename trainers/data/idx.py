"""Reads the idx format of MNIST: a magic number, the sizes, then bytes, or whole numbers."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError

UNSIGNED_BYTE = 0x08
INTEGER = 0x0C


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read one idx file of bytes, gzipped or not (by its first two bytes).

    Args:
        path: the file.
        dimensions: how many sizes it must have: 1 for labels, 3 for images, 4 for coloured ones.

    Returns:
        uint8 array of the shape that the file states.

    Raises:
        InputError: naming the file, if it is missing, corrupt, truncated, or something else.
    """
    shape, body = _read(path, dimensions, UNSIGNED_BYTE, 1)
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)


def read_idx_integers(path: Path, dimensions: int) -> NDArray[np.int32]:
    """Read one idx file of whole numbers of four bytes, as QMNIST's labels are; as `read_idx`."""
    shape, body = _read(path, dimensions, INTEGER, 4)
    return np.frombuffer(body, dtype=">i4").reshape(shape).astype(np.int32)


def idx_shape(path: Path, dimensions: int) -> tuple[int, ...]:
    """The shape that an idx file of bytes states; the rest of it is not read.

    Raises:
        InputError: as `read_idx`.
    """
    return _read(path, dimensions, UNSIGNED_BYTE, 0)[0]


def _read(path: Path, dimensions: int, kind: int, item: int) -> tuple[tuple[int, ...], bytes]:
    """The stated shape, and the bytes of so many items of so many bytes."""
    try:
        with path.open("rb") as plain:
            is_gzip = plain.read(2) == b"\x1f\x8b"
        opener = gzip.open if is_gzip else open
        with opener(path, "rb") as file:
            shape = _read_shape(file.read(4 + 4 * dimensions), dimensions, kind)
            size = item * math.prod(shape)
            # One byte more than stated: finds a longer file, and makes gzip check its sum.
            body = file.read(size + 1) if item else b""
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refused(f"{path} is corrupt or truncated ({error})") from None
    except _NotIdx as error:
        raise _refused(f"{path} is not the idx file expected: {error}") from None
    except OSError as error:
        raise _refused(f"{path} cannot be read ({error.strerror or error})") from None
    if len(body) != size:
        amount = "more" if len(body) > size else f"{len(body)}"
        raise _refused(f"{path} states {size} bytes in its header and holds {amount}")
    return shape, body


def _refused(message: str) -> InputError:
    return InputError.of("data.folder", message)


class _NotIdx(ValueError):
    pass


MAX_BYTES = 1 << 30


def _read_shape(header: bytes, dimensions: int, kind: int) -> tuple[int, ...]:
    if len(header) < 4 + 4 * dimensions:
        raise _NotIdx(f"its header has {len(header)} bytes of {4 + 4 * dimensions}")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", header)
    expected = kind << 8 | dimensions
    if magic != expected:
        raise _NotIdx(f"its magic number is {magic:#010x} and must be {expected:#010x}")
    if not 0 < math.prod(shape) <= MAX_BYTES:
        raise _NotIdx(f"its sizes {shape} are outside 1 to {MAX_BYTES} bytes in all")
    return tuple(shape)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write a gzipped idx file; the same array gives the same bytes on every day."""
    header = struct.pack(f">{1 + array.ndim}I", UNSIGNED_BYTE << 8 | array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))
