"""Test readings: the audit of every reading of the test split."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.store.columns import utc_now
from search.store.connection import Part, reads, writes
from search.store.mapping import READING_COLUMNS
from search.store.models import TestReadingRow
from search.store.records import TestReading


class TestAudit(Part):
    """The part of the store that keeps test readings; they are never changed or deleted."""

    __test__ = False

    @writes
    def record(
        self,
        session: Session,
        architecture_id: str,
        *,
        protocol_hash: str,
        trial_id: int | None = None,
        accuracy: float | None = None,
    ) -> TestReading:
        """Writes down that the test split was read for an architecture."""
        row = TestReadingRow(
            architecture_id=architecture_id,
            trial_id=trial_id,
            read_at=utc_now(),
            protocol_hash=protocol_hash,
            accuracy=accuracy,
        )
        session.add(row)
        session.flush()
        query = select(*READING_COLUMNS).where(TestReadingRow.id == row.id)
        return TestReading(*session.execute(query).one())

    @reads
    def readings(self, session: Session, architecture_id: str | None = None) -> list[TestReading]:
        """The readings for one architecture, or all, the oldest first."""
        query = select(*READING_COLUMNS).order_by(TestReadingRow.id)
        if architecture_id is not None:
            query = query.where(TestReadingRow.architecture_id == architecture_id)
        return [TestReading(*row) for row in session.execute(query)]
