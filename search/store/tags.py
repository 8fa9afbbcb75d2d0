"""Tags and notes: what people say of architectures. They decide nothing.

They are of architectures and not of trials: what is tagged is what is shipped, retrained or left
alone, in whatever study it is met again. What is said of one training belongs into a note.
"""

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from search.store.database import StorePart, reads, writes
from search.store.models import ArchitectureNoteRow, ArchitectureRow, ArchitectureTagRow, utc_now
from search.store.records import NoteRecord
from search.store.statements import columns_of, insert_missing, table_of
from space.errors import InputError

LONGEST_TAG = 50
LONGEST_NOTE = 10_000
_NOTE = columns_of(NoteRecord, ArchitectureNoteRow)
_BATCH = 500
"""Ids in one statement."""


class Tags(StorePart):
    """The part of the store that keeps tags and notes."""

    @writes
    def add(self, connection: Connection, architecture_id: str, tag: str) -> bool:
        """Give an architecture a tag; False when it has it already.

        Args:
            architecture_id: the whole id. tag: 1 to 50 printable characters, no quotation marks.

        Raises:
            InputError: such a tag cannot be.
            LookupError: there is no such architecture.
        """
        check_tag(tag)
        _hold(connection, architecture_id)
        values = {"architecture_id": architecture_id, "tag": tag, "created": utc_now()}
        return insert_missing(connection, ArchitectureTagRow, values)

    @writes
    def remove(self, connection: Connection, architecture_id: str, tag: str) -> bool:
        """Take a tag away; False when the architecture has not got it."""
        row = ArchitectureTagRow
        mine = delete(row).where(row.architecture_id == architecture_id, row.tag == tag)
        return connection.execute(mine.returning(row.tag)).one_or_none() is not None

    @reads
    def of(self, connection: Connection, architecture_ids: Collection[str]) -> dict[str, list[str]]:
        """The tags of architectures in order of the alphabet; of those that have some."""
        ids, found = list(dict.fromkeys(architecture_ids)), defaultdict(list)
        row = ArchitectureTagRow
        for start in range(0, len(ids), _BATCH):
            some = row.architecture_id.in_(ids[start : start + _BATCH])
            for architecture_id, tag in connection.execute(
                select(row.architecture_id, row.tag).where(some)
            ):
                found[architecture_id].append(tag)
        # Not by the database: which letter comes first depends on a server's settings.
        return {architecture_id: sorted(tags) for architecture_id, tags in found.items()}

    @writes
    def add_note(self, connection: Connection, architecture_id: str, text: str) -> NoteRecord:
        """Write a note down, beside those that are there.

        Raises:
            InputError: it is empty, or longer than 10,000 characters.
            LookupError: there is no such architecture.
        """
        if not text.strip() or len(text) > LONGEST_NOTE:
            message = f"must have 1 to {LONGEST_NOTE:,} characters, got {len(text.strip()):,}"
            raise InputError.of("text", message)
        _hold(connection, architecture_id)
        values = {"architecture_id": architecture_id, "created": utc_now(), "text": text.strip()}
        statement = insert(table_of(ArchitectureNoteRow)).returning(*_NOTE)
        return NoteRecord(*connection.execute(statement, values).one())

    @reads
    def notes_of(self, connection: Connection, architecture_id: str) -> list[NoteRecord]:
        """The notes of an architecture, the oldest first."""
        row = ArchitectureNoteRow
        query = select(*_NOTE).where(row.architecture_id == architecture_id).order_by(row.id)
        return [NoteRecord(*values) for values in connection.execute(query)]

    @writes
    def remove_note(self, connection: Connection, architecture_id: str, note_id: int) -> bool:
        """Take a note away; False when the architecture has no note of this id."""
        row = ArchitectureNoteRow
        mine = delete(row).where(row.architecture_id == architecture_id, row.id == note_id)
        return connection.execute(mine.returning(row.id)).one_or_none() is not None


def check_tag(tag: str) -> None:
    """See to it that a tag can be one, and be written in a where-clause.

    Raises:
        InputError: where="tag".
    """
    is_plain = tag.isprintable() and tag == tag.strip() and not set(tag) & set("\"'")
    if not tag or not is_plain or len(tag) > LONGEST_TAG:
        raise InputError.of(
            "tag",
            f"{tag[:LONGEST_TAG]!r} cannot be one; allowed are 1 to {LONGEST_TAG} printable "
            "characters without quotation marks, and without spaces at the ends",
        )


def _hold(connection: Connection, architecture_id: str) -> None:
    """See to it that the architecture is there until the transaction ends."""
    mine = select(ArchitectureRow.id).where(ArchitectureRow.id == architecture_id)
    if connection.scalar(mine.with_for_update(key_share=True)) is None:
        raise LookupError(f"no architecture has the id {architecture_id!r}")
