"""The audit of the test split: who read it, for which weights, when, and what came of it."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, insert, select, update

from search.store.database import StorePart, reads, writes
from search.store.models import ArchitectureRow, TestReadingRow, TrialRow, utc_now
from search.store.records import TestReadingRecord
from search.store.statements import columns_of, table_of
from space.errors import InputError
from space.surface import surface

_COLUMNS = columns_of(TestReadingRecord, TestReadingRow)
_ADD = insert(table_of(TestReadingRow)).returning(*_COLUMNS)


class TestAudit(StorePart):
    """The part of the store that keeps test readings.

    None is ever deleted, and none is changed but once: by the accuracy that came of it. Of a study
    that is deleted the readings stay, and say no more of which trial they were.
    """

    __test__ = False

    @writes
    def record(
        self,
        connection: Connection,
        architecture_id: str,
        *,
        protocol_hash: str,
        trial_id: int | None = None,
        accuracy: float | None = None,
    ) -> TestReadingRecord:
        """Writes down that the test split was read for an architecture."""
        values = {
            "architecture_id": architecture_id,
            "trial_id": trial_id,
            "protocol_hash": protocol_hash,
            "accuracy": accuracy,
        }
        return _added(connection, values)

    @writes
    def begin(
        self,
        connection: Connection,
        trial_id: int,
        *,
        protocol_hash: str,
        images: int,
        chance: float,
        content_hash: str,
        device: str,
        again: bool = False,
    ) -> TestReadingRecord:
        """Writes down, before any image is read, that a trial's weights are being tested.

        Args:
            trial_id: of a complete trial.
            protocol_hash: that the weights were trained by.
            images, chance, content_hash, device: as TestReadingRecord has them.
            again: whether the test may have been read for these weights before.

        Raises:
            InputError: it was read for them before, and not `again`; nothing was written.
            LookupError: there is no such trial.
        """
        architecture = _held_architecture(connection, trial_id)
        earlier = _readings(connection, same_weights(connection, trial_id))
        if earlier and not again:
            raise InputError.of("test", already_read(earlier))
        values = {
            "architecture_id": architecture,
            "trial_id": trial_id,
            "protocol_hash": protocol_hash,
            "images": images,
            "chance": chance,
            "content_hash": content_hash,
            "device": device,
        }
        return _added(connection, values)

    @writes
    def complete(
        self, connection: Connection, reading_id: int, accuracy: float
    ) -> TestReadingRecord:
        """Writes down what came of a reading; a second time changes nothing.

        Raises:
            LookupError: there is no such reading.
        """
        row = TestReadingRow
        open_ = update(row).where(row.id == reading_id, row.accuracy.is_(None))
        connection.execute(open_.values(accuracy=accuracy))
        found = connection.execute(select(*_COLUMNS).where(row.id == reading_id)).one_or_none()
        if found is None:
            raise LookupError(f"no test reading has the id {reading_id}")
        return TestReadingRecord(*found)

    @reads
    def readings(
        self, connection: Connection, architecture_id: str | None = None
    ) -> list[TestReadingRecord]:
        """The readings for one architecture, or all, the oldest first."""
        query = select(*_COLUMNS).order_by(TestReadingRow.id)
        if architecture_id is not None:
            query = query.where(TestReadingRow.architecture_id == architecture_id)
        return [TestReadingRecord(*row) for row in connection.execute(query)]

    @reads
    def of_weights(self, connection: Connection, trial_id: int) -> list[TestReadingRecord]:
        """The readings for the weights of a trial, the oldest first.

        A trial that took a result over has the weights of the one that trained it.

        Raises:
            LookupError: there is no such trial.
        """
        return _readings(connection, same_weights(connection, trial_id))


def already_read(earlier: Collection[TestReadingRecord]) -> str:
    """Why the test is not read for weights for which it was read before."""
    first = min(earlier, key=lambda reading: reading.id)
    broke_off = " (it broke off)" if first.accuracy is None else ""
    again = surface().given("again", True)
    return (
        f"the test split was read for these weights of {first.architecture_id} on "
        f"{first.read_at:%Y-%m-%d %H:%M} UTC{broke_off}: one reading is what makes it a test; "
        f"{again} reads it once more, and the store counts it"
    )


def _held_architecture(connection: Connection, trial_id: int) -> str | None:
    """The architecture of a trial, held until the transaction ends.

    Of two that ask at once for the same weights, the later one sees the reading of the first.
    """
    mine = select(TrialRow.architecture_id).where(TrialRow.id == trial_id).scalar_subquery()
    row = select(ArchitectureRow.id).where(ArchitectureRow.id == mine)
    return connection.scalar(row.with_for_update(key_share=True))


def same_weights(connection: Connection, trial_id: int) -> set[int]:
    """The ids of the trials whose weights are those of a trial, itself among them.

    Raises:
        LookupError: there is no such trial.
    """
    mine = select(TrialRow.architecture_id).where(TrialRow.id == trial_id).scalar_subquery()
    columns = select(TrialRow.id, TrialRow.source_trial_id)
    sources: dict[int, int | None] = {
        row.id: row.source_trial_id
        for row in connection.execute(columns.where(TrialRow.architecture_id == mine))
    }
    if trial_id not in sources:
        raise LookupError(f"no trial has the id {trial_id}")
    first = _first_of(trial_id, sources)
    return {each for each in sources if _first_of(each, sources) == first}


def _first_of(trial_id: int, sources: dict[int, int | None]) -> int:
    """The trial that trained what this one has."""
    while (source := sources[trial_id]) is not None:
        trial_id = source
    return trial_id


def _readings(connection: Connection, trial_ids: Collection[int]) -> list[TestReadingRecord]:
    query = select(*_COLUMNS).where(TestReadingRow.trial_id.in_(trial_ids))
    rows = connection.execute(query.order_by(TestReadingRow.id))
    return [TestReadingRecord(*row) for row in rows]


def _added(connection: Connection, values: Mapping[str, object]) -> TestReadingRecord:
    return TestReadingRecord(*connection.execute(_ADD, {**values, "read_at": utc_now()}).one())
