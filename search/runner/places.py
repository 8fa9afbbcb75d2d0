"""Whether the store and the checkpoints can be written where the configuration puts them."""

import os
import tempfile
from pathlib import Path

from search.store.url import is_sqlite, parse_url, sqlite_path
from space.errors import InputError
from space.input.paths import is_folder, is_there


def check_store(url: str) -> None:
    """Refuse an SQLite store in a folder that cannot be written; leaves nothing behind.

    Raises:
        InputError: where="store".
    """
    parsed = parse_url(url)
    if not is_sqlite(parsed):
        return
    path = sqlite_path(parsed)
    if is_there(path) and not os.access(path, os.W_OK):
        raise InputError.of("store", f"{path} cannot be written: it is read-only")
    _probe(path.parent, "store")


def check_checkpoints(folder: Path) -> None:
    """Refuse a folder that could not be made; makes nothing yet.

    Raises:
        InputError: where="checkpoints".
    """
    _probe(_nearest(folder.absolute()), "checkpoints")


def make_checkpoints(folder: Path) -> None:
    """Make the folder for checkpoints, and see that files can be written in it.

    Raises:
        InputError: where="checkpoints".
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder {folder} cannot be made: {error.strerror}"
        raise InputError.of("checkpoints", message) from None
    _probe(folder, "checkpoints")


def _nearest(folder: Path) -> Path:
    """The folder itself, or the innermost one above it that is there."""
    return next(path for path in (folder, *folder.parents) if is_there(path))


def _probe(folder: Path, where: str) -> None:
    """A file without a name is the only sure sign: root passes every check of permissions."""
    if not is_there(folder):
        raise InputError.of(where, f"the folder {folder} does not exist")
    if not is_folder(folder):
        raise InputError.of(where, f"{folder} is not a folder")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        message = f"the folder {folder} cannot be written: {error.strerror}"
        raise InputError.of(where, message) from None
