"""A folder for the files and sockets of Ray, where they fit."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from search.runner.watchdog import PREFIX
from space.errors import InputError
from space.input.paths import given_path, is_folder

_VARIABLE = "RAY_TMPDIR"
_LONGEST = 107
"""Bytes in the path of a socket."""
_SOCKET = "mixspace-ray-12345678/session_2026-12-31_23-59-59_123456_4194304/sockets/plasma_store"
"""The longest path of a socket below the place."""
_ROOM = 32 * 2**20
"""Bytes for logs; Ray's servers end without a word where they cannot write them."""


def new_session_folder() -> Path:
    """A new folder for one run: in RAY_TMPDIR if that is set, or in /tmp, or else in TMPDIR.

    Raises:
        InputError: what is wrong with each place.
    """
    problems = []
    for name, place in _places():
        problem = _problem(place)
        if problem is None:
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        problems.append((name, f"Ray's session folder cannot be in {place}: {problem}"))
    words = "; ".join(words for _, words in problems)
    raise InputError.of(problems[0][0], f"{words}; set {_VARIABLE} to a short path with room")


def _places() -> Iterator[tuple[str, Path]]:
    chosen = os.environ.get(_VARIABLE)
    if chosen:
        yield _VARIABLE, given_path(chosen, _VARIABLE).absolute()
        return
    yield "/tmp", Path("/tmp")
    other = os.environ.get("TMPDIR")
    if other and Path(other).absolute() != Path("/tmp"):
        yield "TMPDIR", Path(other).absolute()


def _problem(place: Path) -> str | None:
    """Why Ray cannot work below a folder; None where it can."""
    length = len(os.fsencode(place / _SOCKET))
    if length > _LONGEST:
        return (
            f"the path is {length - _LONGEST} bytes too long, "
            f"as those of sockets have {_LONGEST} at most"
        )
    if not is_folder(place):
        return "it is not a folder"
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(bytes(2**16))
            probe.flush()
    except OSError as error:
        return f"it cannot be written: {error.strerror}"
    free = shutil.disk_usage(place).free
    if free < _ROOM:
        return f"{free / 2**20:.0f} MiB are free, and {_ROOM / 2**20:.0f} are needed"
    return None
