"""An SQLite file of an earlier schema is looked at through a copy that is brought up to date."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from search.store.database import Database, begin_by_hand, make_engine
from search.store.dialects import engine_of
from search.store.schema import OlderStore, upgrade
from search.store.sqlite_file import FileState

_COPY_SECONDS = 10.0
"""How long the copy of a file waits for one who writes to it."""


class UpgradedCopies:
    """Of a file that only earlier versions write to: one copy for each state that it is seen in.

    Args:
        url: of the file, as errors name it.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._folder: TemporaryDirectory[str] | None = None
        self._newest: tuple[FileState | None, Path, Database] | None = None

    def of(
        self,
        state: FileState | None,
        connect: Callable[[], sqlite3.Connection],
        refusal: OlderStore,
    ) -> Database:
        """The copy of the file in this state, made when it is the first time.

        Args:
            state: of the file.
            connect: to it.
            refusal: what is said where no copy can be made, such as on a full disk.

        Raises:
            OlderStore: no copy can be made.
        """
        with self._lock:
            if self._newest is None or self._newest[0] != state:
                self._drop_newest()
                try:
                    self._newest = (state, *self._made(connect))
                except (OSError, sqlite3.Error, DBAPIError) as error:
                    raise refusal from error
            return self._newest[2]

    def close(self) -> None:
        """Removes what was copied."""
        with self._lock:
            self._drop_newest()
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def _drop_newest(self) -> None:
        if self._newest is not None:
            _, file, database = self._newest
            database.close()
            file.unlink(missing_ok=True)
            self._newest = None

    def _made(self, connect: Callable[[], sqlite3.Connection]) -> tuple[Path, Database]:
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="mixspace-", ignore_cleanup_errors=True)
        file = Path(self._folder.name) / "copy.db"
        file.unlink(missing_ok=True)
        _copy(connect, file)
        engine = make_engine(URL.create("sqlite", database=str(file)), _COPY_SECONDS)
        try:
            upgrade(engine, create=False, shown=str(self._url.database))
        finally:
            engine.dispose()
        return file, Database(self._url, _only_reading(file))


def _copy(connect: Callable[[], sqlite3.Connection], file: Path) -> None:
    source, copy = connect(), sqlite3.connect(file)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()
        source.close()


def _only_reading(file: Path) -> Engine:
    engine = engine_of(
        URL.create("sqlite"),
        creator=lambda: sqlite3.connect(f"file:{file}?mode=rw", uri=True),
        poolclass=NullPool,
    )
    begin_by_hand(engine, "PRAGMA query_only = ON")
    return engine
