"""What an SQLite file says at its beginning of the log that goes with it."""

import threading
from pathlib import Path
from typing import BinaryIO

from search.store.sqlite_file import FileState, Identity

_READ_VERSION, _WAL = 18, 2


class SqliteHeader:
    """Reads it from a file that stays open: closing one ends every lock of the process on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: tuple[Path, Identity, BinaryIO] | None = None

    def asks_for_wal(self, state: FileState) -> bool:
        """Whether SQLite would make a write-ahead log, and its index, to read the file.

        Raises:
            OSError: the file cannot be read.
        """
        with self._lock:
            file = self._file(state)
            file.seek(_READ_VERSION)
            return file.read(1) == bytes([_WAL])

    def close(self) -> None:
        """Gives the file back."""
        with self._lock:
            if self._open is not None:
                self._open[2].close()
            self._open = None

    def _file(self, state: FileState) -> BinaryIO:
        if self._open is not None and self._open[:2] == (state.path, state.identity):
            return self._open[2]
        file: BinaryIO = state.path.open("rb", buffering=0)
        if self._open is not None:
            self._open[2].close()
        self._open = (state.path, state.identity, file)
        return file
