"""Training nothing twice: results of other studies with the same protocol are taken over."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, literal, select, update

from search.store.database import StorePart, reads, writes
from search.store.epochs import retotal
from search.store.events import lock_study_of, write_event
from search.store.models import ArchitectureRow, MetricRow, StudyRow, TrialRow, utc_now
from search.store.records import TrialRecord
from search.store.stale_runs import effective, stale_runs
from search.store.statements import EPOCH_COLUMNS, TRIALS, one
from search.trial_states import OPEN, TERMINAL, EventKind, TrialState
from space.errors import MixspaceError

_RESULTS = (TrialState.COMPLETE, TrialState.PRUNED)


class TrainedElsewhere(MixspaceError):
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
    connection: Connection, study_id: int, architecture_id: str
) -> TrialRecord | None:
    """The trial of another study with the same protocol that has it to train.

    What stale runs left open is not among them: nobody may ever take it up. Holds the architecture
    until the transaction ends: of two that ask at once, the later one sees what the first has
    written.
    """
    mine = select(ArchitectureRow.id).where(ArchitectureRow.id == architecture_id)
    connection.execute(mine.with_for_update(key_share=True))
    stale = stale_runs(connection)
    protocol = select(StudyRow.protocol_hash).where(StudyRow.id == study_id).scalar_subquery()
    query = (
        _trials_elsewhere(protocol, study_id, OPEN)  # as written: an index finds these
        .where(
            effective(TrialRow.state, stale).in_(OPEN), TrialRow.architecture_id == architecture_id
        )
        .order_by(TrialRow.id)
        .limit(1)
    )
    return one(connection, TrialRecord, query)


def _trials_elsewhere(
    protocol_hash: ColumnElement[str],
    outside: int | ColumnElement[int],
    states: Collection[TrialState],
) -> Select[Any]:
    """A query of the first trials of architectures, of all other studies with this protocol."""
    return TRIALS.join(StudyRow, StudyRow.id == TrialRow.study_id).where(
        StudyRow.protocol_hash == protocol_hash,
        TrialRow.study_id != outside,
        TrialRow.repeat == 0,
        TrialRow.state.in_(states),
    )


# Made once, as every new trial asks: SQLAlchemy takes longer to put them together than to run them.
_RESULT = (
    _trials_elsewhere(bindparam("protocol"), bindparam("outside"), _RESULTS)
    .where(TrialRow.architecture_id == bindparam("architecture"))
    .order_by(
        (TrialRow.state == TrialState.COMPLETE).desc(),
        TrialRow.epochs_done.desc(),
        TrialRow.source_trial_id.is_not(None),
        TrialRow.id,
    )
    .limit(1)
)
_SCRATCH = _RESULT.where(TrialRow.parent_trial_id.is_(None))


class ReusableResults(StorePart):
    """The part of the store that spares a training that was done already."""

    @reads
    def find(
        self,
        connection: Connection,
        architecture_id: str,
        protocol_hash: str,
        *,
        outside: int,
        inherited: bool = False,
    ) -> TrialRecord | None:
        """What another study with the same protocol knows of an architecture.

        A complete trial rather than a pruned one, the longest of the pruned, of equals the one
        that trained itself rather than took over, then the oldest. Repeats do not count.

        Args:
            architecture_id: of the architecture.
            protocol_hash: of the study that asks.
            outside: the id of the study that asks.
            inherited: whether results that began with another trial's weights will do.
        """
        values = {"architecture": architecture_id, "protocol": protocol_hash, "outside": outside}
        return one(connection, TrialRecord, _RESULT if inherited else _SCRATCH, values)

    @writes
    def reuse(
        self, connection: Connection, trial_id: int, source_trial_id: int, run_id: int
    ) -> bool:
        """Gives a new trial the epochs of another study's trial, as if it had trained them.

        With a complete source the trial is complete, and its reason says whose result it is. With
        a pruned source it stays waiting, to go on after the last of the epochs.

        Returns:
            False, and nothing changed, when the trial has begun, has ended, or belongs to another
            run.

        Raises:
            ValueError: the source has no result of the same architecture under the same protocol.
            LookupError: there is no such trial.
        """
        lock_study_of(connection, trial_id)
        trial, source = read_trial(connection, trial_id), read_trial(connection, source_trial_id)
        place = _place(connection, trial, source)
        if trial.state in TERMINAL or trial.epochs_done or trial.run_id != run_id:
            return False
        _copy_epochs(connection, trial, source)
        values: dict[str, Any] = {
            "source_trial_id": source.id,
            "parent_trial_id": source.parent_trial_id,
            "inherited_along": source.inherited_along,
            "lineage_seconds": source.lineage_seconds,
            "seeds": source.seeds,  # its checkpoint goes on with them
        }
        if source.state == TrialState.COMPLETE:
            reason = f"result of {place}, same protocol"
            values |= {"state": "complete", "reason": reason, "ended": utc_now()}
        connection.execute(update(TrialRow).where(TrialRow.id == trial_id).values(values))
        retotal(connection, trial_id)
        if source.state == TrialState.COMPLETE:
            write_event(connection, trial.study_id, trial_id, EventKind.COMPLETE)
        return True


def read_trial(connection: Connection, trial_id: int) -> TrialRecord:
    """The trial of that id.

    Raises:
        LookupError: there is none.
    """
    trial = one(connection, TrialRecord, TRIALS.where(TrialRow.id == trial_id))
    if trial is None:
        raise LookupError(f"no trial has the id {trial_id}")
    return trial


def _place(connection: Connection, trial: TrialRecord, source: TrialRecord) -> str:
    """How people call the source.

    Raises:
        ValueError: its result is not one that the trial can have.
    """
    columns = select(StudyRow.id, StudyRow.name, StudyRow.protocol_hash)
    rows = connection.execute(
        columns.where(StudyRow.id.in_((trial.study_id, source.study_id)))
    ).all()
    studies = {row.id: row for row in rows}
    mine, other = studies[trial.study_id], studies[source.study_id]
    if mine.id == other.id or mine.protocol_hash != other.protocol_hash:
        raise ValueError("results are taken over from another study with the same protocol")
    if trial.architecture_id != source.architecture_id or source.state not in _RESULTS:
        raise ValueError(f"trial {source.id} has no result of {trial.architecture_id}")
    return f"trial {source.number} of study {other.name!r}"


def _copy_epochs(connection: Connection, trial: TrialRecord, source: TrialRecord) -> None:
    columns = select(literal(trial.id), *EPOCH_COLUMNS).where(MetricRow.trial_id == source.id)
    names = ["trial_id", *(column.key for column in EPOCH_COLUMNS)]
    connection.execute(insert(MetricRow).from_select(names, columns))
    epochs = select(MetricRow.epoch).where(MetricRow.trial_id == trial.id).order_by(MetricRow.epoch)
    for epoch in connection.scalars(epochs).all():
        write_event(connection, trial.study_id, trial.id, EventKind.EPOCH, epoch)
