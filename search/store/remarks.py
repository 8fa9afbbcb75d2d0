"""Writing tags and notes, and nothing else: the one way to write of those who only look.

What opens a store to read cannot write. This opens it for a moment, writes one remark and lets go;
it brings no schema up to date, and changes neither studies nor trials.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, text

from search.store.database import Database, make_engine
from search.store.schema import OlderStore, check_current
from search.store.sqlite_file import may_write
from search.store.tags import Tags, check_tag
from search.store.url import WHERE, is_sqlite, parse_url, sqlite_path
from space.errors import InputError

Result = TypeVar("Result")
_BUSY_SECONDS = 5.0


class Remarks:
    """The tags and notes of a store, to be written.

    Nothing is connected in between: who looks holds no lock, and no connection that can write.
    """

    def __init__(self, url: str) -> None:
        """Nothing is connected yet.

        Args:
            url: of a store, as for `open_store`.

        Raises:
            InputError: it cannot be read.
        """
        self._url = parse_url(url)

    def why_not(self) -> str | None:
        """Why nothing can be written there, as far as that can be told without writing.

        None where it can.
        """
        if is_sqlite(self._url) and not may_write(sqlite_path(self._url)):
            return "this server may only read its file"
        try:
            with self._opened() as database:
                may = is_sqlite(self._url) or database.read(_server_lets)
        except OlderStore:
            return (
                "the store has the schema of an earlier mixspace, and looking changes nothing: "
                "`python -m search upgrade` brings it up to date"
            )
        return None if may else "the database lets this server's user read alone"

    def add_tag(self, architecture_ids: Sequence[str], tag: str) -> int:
        """Give architectures a tag; how many did not have it yet.

        Raises:
            InputError: such a tag cannot be, or an architecture is not there.
            StoreError: the database refused.
        """
        check_tag(tag)
        return self._run(lambda tags: sum(tags.add(id_, tag) for id_ in architecture_ids))

    def remove_tag(self, architecture_ids: Sequence[str], tag: str) -> int:
        """Take a tag away from architectures; how many had it."""
        return self._run(lambda tags: sum(tags.remove(id_, tag) for id_ in architecture_ids))

    def add_note(self, architecture_id: str, note: str) -> None:
        """Write a note down, beside those that are there.

        Raises:
            InputError: it is empty or too long, or the architecture is not there.
            StoreError: the database refused.
        """
        self._run(lambda tags: tags.add_note(architecture_id, note))

    def remove_note(self, architecture_id: str, note_id: int) -> bool:
        """Take a note away; False when the architecture has no note of this id."""
        return self._run(lambda tags: tags.remove_note(architecture_id, note_id))

    def _run(self, work: Callable[[Tags], Result]) -> Result:
        with self._opened() as database:
            try:
                return work(Tags(database))
            except LookupError as error:
                raise InputError.of("architecture", str(error.args[0])) from None

    @contextmanager
    def _opened(self) -> Iterator[Database]:
        if is_sqlite(self._url) and not sqlite_path(self._url).is_file():
            # To connect would make one.
            raise InputError.of(WHERE, f"there is no file {sqlite_path(self._url)}")
        database = Database(self._url, make_engine(self._url, _BUSY_SECONDS))
        try:
            database.read(lambda connection: check_current(connection, database.url))
            yield database
        finally:
            database.close()


def _server_lets(connection: Connection) -> bool:
    """Whether a server takes remarks of this user: their rows, and a lock on the network's."""
    return bool(connection.scalar(text(f"SELECT {' AND '.join(_NEEDED)}")))


_NEEDED = (
    "current_setting('transaction_read_only') = 'off'",
    "has_table_privilege('architecture_tags', 'INSERT')",
    "has_table_privilege('architecture_notes', 'INSERT')",
    "has_sequence_privilege(pg_get_serial_sequence('architecture_notes', 'id'), 'USAGE')",
    "has_any_column_privilege('architectures', 'UPDATE')",
)
