"""Reads the headers of a tar, ten times as fast as `tarfile`: a million pictures need that.

The formats are POSIX ustar and pax, and GNU's: what `tar` and Python write. Links, folders and
devices are passed over. See "tar" in POSIX.1-2017's pax.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_REGULAR = frozenset(b"0\0" + b"7")
_WITHOUT_BODY = frozenset(b"123456")
"""Links, devices, folders and pipes, whatever size they state."""
_LONG_NAME, _PAX, _PAX_OF_ALL, _SPARSE = b"LxgS"
_LONGEST_RECORD = 1 << 20
"""Bytes of a header that says the name of the next member."""


class Member(NamedTuple):
    """A regular file in a tar: its name, and where its bytes lie in the whole file."""

    name: str
    offset: int
    size: int


class NotATar(ValueError):
    """Damaged, cut off, or something else; the text says where."""


def regular_files(file: BinaryIO, start: int, end: int) -> Iterator[Member]:
    """The regular files in the tar that lies in a stretch of a file.

    Raises:
        NotATar: from where on it cannot be read. A tar without its end is cut off.
    """
    at, said = start, dict[str, str]()
    while True:
        file.seek(at)
        header = file.read(_BLOCK)
        if len(header) < _BLOCK or at + _BLOCK > end:
            raise NotATar(f"it is cut off at byte {at:,}")
        if header == _ZEROS:
            return
        kind, size = header[156], _checked_size(header, at)
        if (pax_size := said.get("size")) is not None and kind in _REGULAR:
            size = _whole(pax_size, at)
        body = at + _BLOCK
        at = body if kind in _WITHOUT_BODY else body + -(-size // _BLOCK) * _BLOCK
        if at > end:
            raise NotATar(f"it is cut off at byte {end:,}")
        if kind in (_LONG_NAME, _PAX):
            said |= _record(file, kind, size, body)
            continue
        if kind == _SPARSE or "GNU.sparse.major" in said:
            raise NotATar(f"it holds a sparse file at byte {body - _BLOCK:,}")
        if kind in _REGULAR:
            name = said.get("path") or _name(header)
            if not name.endswith("/"):  # of old formats, a folder
                yield Member(name.removeprefix("./"), body, size)
        if kind != _PAX_OF_ALL:
            said = {}


def _checked_size(header: bytes, at: int) -> int:
    """The size that a header states, if its sum is right."""
    stated = header[148:156]
    try:
        total = int(stated.strip(b" \0") or b"0", 8)
    except ValueError:
        raise NotATar(f"it is damaged at byte {at:,}") from None
    if total != sum(header) - sum(stated) + 8 * 0x20:
        raise NotATar(f"it is damaged at byte {at:,}")
    field = header[124:136]
    if field[0] == 0x80:  # GNU's way to write what does not fit into octal digits
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise NotATar(f"it is damaged at byte {at:,}") from None


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0":  # GNU's has other things where the prefix is
        prefix = header[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return os.fsdecode(name)


def _record(file: BinaryIO, kind: int, size: int, body: int) -> dict[str, str]:
    """What a header before a member says of it."""
    if size > _LONGEST_RECORD:
        raise NotATar(f"it is damaged at byte {body:,}")
    content = file.read(size)
    if kind == _LONG_NAME:
        return {"path": os.fsdecode(content.partition(b"\0")[0])}
    found = {}
    while content:
        length, _, rest = content.partition(b" ")
        end = _whole(os.fsdecode(length), body)
        key, _, value = rest[: end - len(length) - 2].partition(b"=")
        if not len(length) + 2 < end <= len(content):
            raise NotATar(f"it is damaged at byte {body:,}")
        found[os.fsdecode(key)] = os.fsdecode(value)
        content = content[end:]
    return found


def _whole(text: str, at: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise NotATar(f"it is damaged at byte {at:,}")
    return int(text)
