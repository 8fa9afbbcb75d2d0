"""The same training in another study: the same architecture under the same protocol."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from search.store.liveness import Gone
from search.store.mapping import TRIAL_COLUMNS, trial_record
from search.store.models import Architecture, Study, Trial
from search.store.records import TrialRecord
from search.store.seen import as_seen
from search.trial_states import OPEN, TrialState


class TrainedElsewhere(Exception):
    """Another study with the same protocol has this architecture to train.

    Attributes:
        trial: that study's trial.
    """

    def __init__(self, trial: TrialRecord) -> None:
        super().__init__(
            f"architecture {trial.architecture_id} is {trial.state} in another study with the "
            "same protocol"
        )
        self.trial = trial


def busy_elsewhere(
    session: Session, study_id: int, architecture_id: str, gone: Gone
) -> TrialRecord | None:
    """The trial of another study with the same protocol that has it to train.

    What `gone` runs left open is not among them: nobody may ever take it up. Holds the architecture
    until the transaction ends: of two that ask at once, the later one sees what the first has
    written.
    """
    mine = select(Architecture.id).where(Architecture.id == architecture_id)
    session.execute(mine.with_for_update(key_share=True))
    protocol = select(Study.protocol_hash).where(Study.id == study_id).scalar_subquery()
    query = open_elsewhere(protocol, study_id, gone).where(Trial.architecture_id == architecture_id)
    row = session.execute(query.order_by(Trial.id).limit(1)).one_or_none()
    return None if row is None else trial_record(row)


def open_elsewhere(
    protocol_hash: str | ColumnElement[str], outside: int | ColumnElement[int], gone: Gone
) -> Select[Any]:
    """A query of the first trials of architectures that all other studies have to train."""
    query = trials_elsewhere(protocol_hash, outside, OPEN)  # as written: an index finds these
    return query.where(as_seen(Trial.state, gone).in_(OPEN))


def trials_elsewhere(
    protocol_hash: str | ColumnElement[str],
    outside: int | ColumnElement[int],
    states: Collection[TrialState],
) -> Select[Any]:
    """A query of the first trials of architectures, of all other studies with this protocol."""
    return (
        select(*TRIAL_COLUMNS)
        .join(Study, Study.id == Trial.study_id)
        .where(Study.protocol_hash == protocol_hash, Trial.study_id != outside, Trial.repeat == 0)
        .where(Trial.state.in_(states))
    )
