"""Training nothing twice: results of other studies are taken over, pruned trials continued."""

from typing import Any

from sqlalchemy import bindparam, insert, literal, select, update
from sqlalchemy.orm import Session

from search.store.columns import utc_now
from search.store.connection import reads, writes
from search.store.elsewhere import busy_elsewhere, open_elsewhere, trials_elsewhere
from search.store.epochs import retotal
from search.store.events import lock_study_of, write_event
from search.store.liveness import Liveness
from search.store.mapping import EPOCH_COLUMNS, TRIAL_COLUMNS, trial_record
from search.store.models import Metric, Study, Trial
from search.store.records import TrialRecord
from search.trial_states import CONTINUABLE, TERMINAL, EventKind, TrialState

_RESULTS = (TrialState.COMPLETE, TrialState.PRUNED)

# Made once, as every new trial asks: SQLAlchemy takes longer to put them together than to run them.
_RESULT = (
    trials_elsewhere(bindparam("protocol"), bindparam("outside"), _RESULTS)
    .where(Trial.architecture_id == bindparam("architecture"))
    .order_by(
        (Trial.state == TrialState.COMPLETE).desc(),
        Trial.epochs_done.desc(),
        Trial.source_trial_id.is_not(None),
        Trial.id,
    )
    .limit(1)
)
_SCRATCH = _RESULT.where(Trial.parent_trial_id.is_(None))


class Reuse(Liveness):
    """The part of the store that spares a training that was done already."""

    @reads
    def find_result(
        self,
        session: Session,
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
        row = session.execute(_RESULT if inherited else _SCRATCH, values).one_or_none()
        return None if row is None else trial_record(row)

    @reads
    def busy_architectures(self, session: Session, protocol_hash: str, *, outside: int) -> set[str]:
        """Architectures that runs of other studies with this protocol are training.

        A preempted trial is not among them, nor one that a run left open whose process is gone:
        nobody may ever resume it.
        """
        query = open_elsewhere(protocol_hash, outside, self._gone(session))
        return set(session.scalars(query.with_only_columns(Trial.architecture_id)))

    @writes
    def reuse_result(
        self, session: Session, trial_id: int, source_trial_id: int, run_id: int
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
        study_id = lock_study_of(session, trial_id)
        trial, source = _read(session, trial_id), _read(session, source_trial_id)
        if study_id is None or not trial or not source:
            raise LookupError(f"no trial has the id {source_trial_id if trial else trial_id}")
        place = _place(session, trial, source)
        if trial.state in TERMINAL or trial.epochs_done or trial.run_id != run_id:
            return False
        _copy_epochs(session, trial, source)
        values: dict[str, Any] = {
            "source_trial_id": source.id,
            "parent_trial_id": source.parent_trial_id,
            "inherited_along": source.inherited_along,
            "ancestry_seconds": source.ancestry_seconds,
            "seeds": source.seeds,  # its checkpoint goes on with them
        }
        if source.state == TrialState.COMPLETE:
            reason = f"result of {place}, same protocol"
            values |= {"state": "complete", "reason": reason, "ended": utc_now()}
        _set(session, trial_id, values)
        retotal(session, trial_id)
        if source.state == TrialState.COMPLETE:
            write_event(session, study_id, trial_id, EventKind.COMPLETE)
        return True

    @writes
    def continue_trial(self, session: Session, trial_id: int, run_id: int) -> bool:
        """Makes a pruned, failed or infeasible trial waiting again, in this run, with its epochs.

        It is the only way out of a terminal state.

        Returns:
            False, and nothing changed, when it has not ended so, or another study with the same
            protocol has the architecture to train.
        """
        study_id = lock_study_of(session, trial_id)
        trial = _read(session, trial_id)
        if study_id is None or trial is None or trial.state not in CONTINUABLE:
            return False
        gone = self._gone(session)
        if trial.repeat == 0 and busy_elsewhere(session, study_id, trial.architecture_id, gone):
            return False
        values = {"state": "waiting", "reason": None, "run_id": run_id, "ended": None}
        _set(session, trial_id, values | {"continued": trial.continued + 1})
        write_event(session, study_id, trial_id, EventKind.CONTINUED)
        return True


def _read(session: Session, trial_id: int) -> TrialRecord | None:
    row = session.execute(select(*TRIAL_COLUMNS).where(Trial.id == trial_id)).one_or_none()
    return None if row is None else trial_record(row)


def _place(session: Session, trial: TrialRecord, source: TrialRecord) -> str:
    """How people call the source.

    Raises:
        ValueError: its result is not one that the trial can have.
    """
    columns = select(Study.id, Study.name, Study.protocol_hash)
    rows = session.execute(columns.where(Study.id.in_((trial.study_id, source.study_id)))).all()
    studies = {row.id: row for row in rows}
    mine, other = studies[trial.study_id], studies[source.study_id]
    if mine.id == other.id or mine.protocol_hash != other.protocol_hash:
        raise ValueError("results are taken over from another study with the same protocol")
    if trial.architecture_id != source.architecture_id or source.state not in _RESULTS:
        raise ValueError(f"trial {source.id} has no result of {trial.architecture_id}")
    return f"trial {source.number} of study {other.name!r}"


def _copy_epochs(session: Session, trial: TrialRecord, source: TrialRecord) -> None:
    columns = select(literal(trial.id), *EPOCH_COLUMNS).where(Metric.trial_id == source.id)
    names = ["trial_id", *(column.key for column in EPOCH_COLUMNS)]
    session.execute(insert(Metric).from_select(names, columns.order_by(Metric.epoch)))
    epochs = select(Metric.epoch).where(Metric.trial_id == trial.id).order_by(Metric.epoch)
    for epoch in session.scalars(epochs).all():
        write_event(session, trial.study_id, trial.id, EventKind.EPOCH, epoch)


def _set(session: Session, trial_id: int, values: dict[str, Any]) -> None:
    statement = update(Trial).where(Trial.id == trial_id).values(values)
    session.execute(statement.execution_options(synchronize_session=False))
