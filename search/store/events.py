"""The event log: what happened to the trials of a study, in order, never changed.

It is what makes a study's decisions reproducible: told again to a new searcher and a new scheduler
it leads to the same stand. Every event is written in the transaction that did what it tells of.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from search.store.connection import Connected, reads
from search.store.models import Event, Study, Trial
from search.store.records import EventRecord
from search.store.states import EventKind

_COLUMNS: list[Any] = [Event.number, Event.trial_id, Event.kind, Event.epoch]
_KINDS = {kind.value: kind for kind in EventKind}


class Events(Connected):
    """The part of the store that keeps the event log."""

    @reads
    def events(self, session: Session, study_id: int) -> list[EventRecord]:
        """Everything that happened to the trials of a study, in order."""
        return read_events(session, study_id)


def read_events(session: Session, study_id: int) -> list[EventRecord]:
    """The log of a study, within a transaction."""
    query = select(*_COLUMNS).where(Event.study_id == study_id).order_by(Event.number)
    return [
        EventRecord(number, trial_id, _KINDS[kind], epoch)
        for number, trial_id, kind, epoch in session.execute(query)
    ]


def write_event(
    session: Session, study_id: int, trial_id: int, kind: EventKind, epoch: int | None = None
) -> None:
    """Appends one event to the log of a study that this transaction has locked."""
    write_events(session, study_id, [(trial_id, kind, epoch)])


def write_events(
    session: Session, study_id: int, events: Iterable[tuple[int, EventKind, int | None]]
) -> None:
    """Appends events (trial, kind, epoch) to the log of a study, which is locked already."""
    last = session.scalar(select(func.max(Event.number)).where(Event.study_id == study_id))
    first = 0 if last is None else last + 1
    rows = [
        {
            "study_id": study_id,
            "number": number,
            "trial_id": trial_id,
            "kind": kind.value,
            "epoch": epoch,
        }
        for number, (trial_id, kind, epoch) in enumerate(events, start=first)
    ]
    if rows:
        session.execute(insert(Event), rows)


def lock_study(session: Session, study_id: int) -> None:
    """Holds the study until the transaction ends, so that numbers and claims come one by one.

    Whoever locks several things locks runs before studies and studies before trials, so that no
    two transactions wait for each other.

    Raises:
        LookupError: there is no such study.
    """
    query = select(Study.id).where(Study.id == study_id).with_for_update()
    if session.scalar(query) is None:
        raise LookupError(f"no study has the id {study_id}")


def lock_study_of(session: Session, trial_id: int) -> int | None:
    """Holds the study of a trial until the transaction ends; its id, None without such a trial."""
    query = select(Study.id).join(Trial, Trial.study_id == Study.id).where(Trial.id == trial_id)
    return session.scalar(query.with_for_update(of=Study))
