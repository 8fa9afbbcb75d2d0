"""The event log: what happened to the trials of a study, in order, never changed.

It is what makes a study's decisions reproducible: told again to a new searcher and a new scheduler
it leads to the same state. Every event is written in the transaction that did what it tells of.
"""

from sqlalchemy import Connection, bindparam, func, insert, select

from search.store.database import StorePart, reads
from search.store.models import EventRow, StudyRow, TrialRow
from search.store.records import EventRecord
from search.store.statements import EVENTS, table_of
from search.trial_states import EventKind


class Events(StorePart):
    """The part of the store that keeps the event log."""

    @reads
    def of_study(self, connection: Connection, study_id: int) -> list[EventRecord]:
        """Everything that happened to the trials of a study, in order."""
        query = EVENTS.where(EventRow.study_id == study_id).order_by(EventRow.number)
        return [EventRecord(*row) for row in connection.execute(query)]


def write_event(
    connection: Connection, study_id: int, trial_id: int, kind: EventKind, epoch: int | None = None
) -> None:
    """Appends an event to the log of a study, which this transaction holds already."""
    log = {"study": study_id, "study_id": study_id}
    values = log | {"trial_id": trial_id, "kind": kind, "epoch": epoch}
    connection.execute(_APPEND, values)


_EVENTS = table_of(EventRow)
_NEXT = (
    select(func.coalesce(func.max(_EVENTS.c.number), -1) + 1)
    .where(_EVENTS.c.study_id == bindparam("study"))
    .scalar_subquery()
)
# Made once, as SQLAlchemy takes longer to put a statement together than SQLite to run it.
_APPEND = insert(_EVENTS).values(number=_NEXT)


def lock_study(connection: Connection, study_id: int) -> None:
    """Holds the study until the transaction ends, so that numbers and claims come one by one.

    Whoever locks several things locks runs before studies and studies before trials, so that no
    two transactions wait for each other.

    Raises:
        LookupError: there is no such study.
    """
    if connection.scalar(_LOCK, {"study": study_id}) is None:
        raise LookupError(f"no study has the id {study_id}")


def lock_study_of(connection: Connection, trial_id: int) -> int | None:
    """Holds the study of a trial until the transaction ends; its id, None without such a trial."""
    return connection.scalar(_LOCK_OF, {"trial": trial_id})


_STUDIES, _TRIALS = table_of(StudyRow), table_of(TrialRow)
_LOCK = select(_STUDIES.c.id).where(_STUDIES.c.id == bindparam("study")).with_for_update()
_LOCK_OF = (
    select(_STUDIES.c.id)
    .join(_TRIALS, _TRIALS.c.study_id == _STUDIES.c.id)
    .where(_TRIALS.c.id == bindparam("trial"))
    .with_for_update(of=_STUDIES)
)
