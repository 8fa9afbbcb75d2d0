"""SQLite files that can only be read: on a read-only mount, or of another user."""

import os
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL

from search.store.url import sqlite_path

_HEADER = 20
_WAL = 2
"""What the header's last bytes are in a file with a write-ahead log."""


def can_only_be_read(path: Path) -> bool:
    """Whether the file is there, and it or its folder cannot be written."""
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return path.exists() and not writable


def reading_url(url: URL) -> URL:
    """The same SQLite file, opened for nothing but reading."""
    path = sqlite_path(url)
    options = {"mode": "ro", "uri": "true"}
    if _needs_a_log(path) and not _log(path).exists():
        # SQLite would make the log anew, and cannot. Nobody else can be writing without one.
        options["immutable"] = "1"
    return url.set(database=f"file:{quote(str(path))}", query=options)


def _needs_a_log(path: Path) -> bool:
    with path.open("rb") as file:
        return _WAL in file.read(_HEADER)[-2:]


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
