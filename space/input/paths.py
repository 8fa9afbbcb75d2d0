"""Paths that people write: `~` is their home, and what no file system could take is refused."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import PlainValidator

from space.errors import InputError

LONGEST_NAME = 255
"""Bytes of one name, on all common file systems."""
LONGEST_PATH = 4095
"""Bytes of a whole path that the system takes."""
ROOM = 512
"""Bytes of them that a folder leaves to what is put into it."""

_SHOWN = 200


def shown_path(text: str) -> str:
    """A path on one line of printable characters, cut in the middle where it is endless."""
    escaped = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
    if len(escaped) <= _SHOWN:
        return escaped
    return f"{escaped[: _SHOWN // 2]}…{escaped[-_SHOWN // 2 :]}"


def written_path(value: object, room: int = 0) -> Path:
    """The path that a person wrote, `~` and `~USER` expanded; nothing need be there.

    Args:
        value: a text or a path.
        room: bytes to be left for names below it.

    Raises:
        ValueError: no text or empty, holds NUL, is not UTF-8, is longer than a file system takes,
            or names a home that nobody has.
    """
    if not isinstance(value, str | os.PathLike):
        raise ValueError(f"must be the text of a path; got {value!r:.80}")
    text = os.fspath(value)
    if not isinstance(text, str) or not text:
        raise ValueError(f"must be the text of a path; got {text!r:.80}")
    _refuse_unwritable(text)
    path = _at_home(text)
    _refuse_too_long(path, room)
    return path


def given_path(value: object, where: str) -> Path:
    """`written_path`, for the command line and files.

    Raises:
        InputError: at `where`.
    """
    try:
        return written_path(value)
    except ValueError as error:
        raise InputError.of(where, str(error)) from None


def is_there(path: Path) -> bool:
    """Whether something is at a path; False also where nobody may look, which `Path` raises."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Whether a file is at a path, as `is_there`."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Whether a folder is at a path, as `is_there`."""
    return os.path.isdir(path)  # noqa: PTH112


def cache_folder() -> Path | None:
    """$MIXSPACE_CACHE, or mixspace below the user's cache folder; it may be deleted any time.

    None where the user has no home, as the users without names in containers.
    """
    if given := os.environ.get("MIXSPACE_CACHE"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "mixspace"
    try:
        return Path.home() / ".cache" / "mixspace"
    except RuntimeError:
        return None


def _refuse_unwritable(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"must not hold a NUL character; got '{shown_path(text)}'")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"must be text in UTF-8; got '{shown_path(text)}'") from None
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        message = f"cannot be written in the encoding of this locale; got '{shown_path(text)}'"
        raise ValueError(message) from None


def _at_home(text: str) -> Path:
    expanded = os.path.expanduser(text)  # noqa: PTH111 - a Path loses the dot of ./~
    if expanded.startswith("~"):
        user = text.split("/", 1)[0]
        message = f"nobody's home is {shown_path(user)}; a file of that name is ./{user}"
        raise ValueError(message)
    path = Path(expanded)
    # "./~" is a file here, and loses its dot: it must not be taken for a home when read again.
    return _absolute(path) if str(path).startswith("~") else path


def _absolute(path: Path) -> Path:
    try:
        return path.absolute()
    except FileNotFoundError:
        raise ValueError("is relative, and the working folder is not there any more") from None


def _refuse_too_long(path: Path, room: int) -> None:
    longest = max(path.parts, key=lambda name: len(os.fsencode(name)), default="")
    if (length := len(os.fsencode(longest))) > LONGEST_NAME:
        message = f"at most {LONGEST_NAME} bytes a name; {shown_path(longest)} has {length:,}"
        raise ValueError(f"is too long: {message}")
    if (length := len(os.fsencode(_absolute(path)))) > LONGEST_PATH - room:
        message = f"at most {LONGEST_PATH - room:,} bytes; {shown_path(str(path))} has {length:,}"
        raise ValueError(f"is too long: {message}")


def _folder(value: object) -> Path:
    return written_path(value, ROOM)


Folder = Annotated[Path, PlainValidator(_folder)]
"""A field for the path of a folder, in plain values and in JSON."""
