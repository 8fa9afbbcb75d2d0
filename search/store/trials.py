"""Trials: add, start, finish, preempt, claim. Each change stands in the event log too."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func as sql
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from search.store.architectures import add_architecture
from search.store.columns import utc_now
from search.store.connection import Connected, reads, writes
from search.store.elsewhere import TrainedElsewhere, busy_elsewhere
from search.store.events import lock_study, lock_study_of, write_event
from search.store.mapping import TRIAL_COLUMNS, trial_record
from search.store.models import Run, Trial
from search.store.records import Parent, TrialRecord
from search.store.states import TERMINAL, EventKind, TrialState, checked_reason
from space.architecture import Architecture


class DuplicateArchitecture(Exception):
    """The study has this trial of the architecture already.

    Attributes:
        trial: that trial.
    """

    def __init__(self, trial: TrialRecord) -> None:
        super().__init__(
            f"architecture {trial.architecture_id} is trial {trial.number} of the study already"
        )
        self.trial = trial


class Trials(Connected):
    """The part of the store that keeps trials."""

    @writes
    def add_trial(
        self,
        session: Session,
        study_id: int,
        run_id: int | None,
        architecture: Architecture,
        *,
        params: int,
        macs: int,
        origin: str,
        seeds: dict[str, Any],
        decisions: Any = None,
        repeat: int = 0,
        parent: Parent | None = None,
        exclusive: bool = False,
    ) -> TrialRecord:
        """A new waiting trial, numbered on from the study's last (the first is 0).

        Args:
            study_id: of the study.
            run_id: the run that will train it.
            architecture: what to train.
            params: its number of parameters.
            macs: its multiply-accumulates for one image.
            origin: who proposed it, such as "tpe" or "named:ViT".
            seeds: the seeds of initialisation and data order.
            decisions: how the searcher reached it; any JSON.
            repeat: 0 for the first trial of an architecture; a repeat, with other seeds, has its
                number, from 1.
            parent: the trial whose weights it begins with; the training that they cost is noted.
            exclusive: refuse it while another study has the same still to train. Whoever adds
                first and then asks `find_result` never trains what another trains: of two drivers
                that add at once, one is refused here.

        Raises:
            DuplicateArchitecture: the study has it already.
            TrainedElsewhere: `exclusive`, and another study has it to train; nothing was added.
            LookupError: there is no such study or parent.
        """
        lock_study(session, study_id)
        _check_new(session, study_id, architecture.id, repeat)
        add_architecture(session, architecture, params, macs)
        if exclusive and repeat == 0:
            busy = busy_elsewhere(session, study_id, architecture.id)
            if busy is not None:
                raise TrainedElsewhere(busy)
        last = session.scalar(select(sql.max(Trial.number)).where(Trial.study_id == study_id))
        trial = Trial(
            study_id=study_id,
            number=0 if last is None else last + 1,
            architecture_id=architecture.id,
            state=TrialState.WAITING.value,
            origin=origin,
            attempts=0,
            run_id=run_id,
            seeds=seeds,
            decisions=decisions,
            epochs_done=0,
            seconds=0.0,
            repeat=repeat,
            parent_trial_id=parent and parent.trial_id,
            inherited_along=parent and parent.along,
            ancestry_seconds=0.0 if parent is None else _training_behind(session, parent.trial_id),
            created=utc_now(),
        )
        session.add(trial)
        session.flush()
        write_event(session, study_id, trial.id, EventKind.CREATED)
        return _trial(session, trial.id)

    @writes
    def start_trial(self, session: Session, trial_id: int, run_id: int) -> bool:
        """Makes a waiting or preempted trial running in this run, `attempts` one higher.

        False, and nothing changed, when the trial has ended or runs in another run.
        """
        free = (
            Trial.id == trial_id,
            Trial.state.not_in(TERMINAL),
            or_(Trial.state != TrialState.RUNNING, Trial.run_id == run_id),
        )
        values = {
            "state": TrialState.RUNNING.value,
            "reason": None,
            "run_id": run_id,
            "attempts": Trial.attempts + 1,
            "started": sql.coalesce(Trial.started, utc_now()),
        }
        return _updated(session, free, values)

    @writes
    def finish_trial(
        self,
        session: Session,
        trial_id: int,
        state: TrialState | str,
        reason: str | None = None,
        *,
        run_id: int | None = None,
    ) -> bool:
        """Ends a trial in a terminal state; the first one wins.

        Args:
            trial_id: of the trial.
            state: complete, pruned, infeasible or failed.
            reason: why; needed by all but complete.
            run_id: when given, only while the trial belongs to this run, so that a driver that
                was taken for dead cannot end what another has taken over.

        Returns:
            Whether this call ended it; False when it had ended before, or belongs to another.

        Raises:
            ValueError: not a terminal state, or no reason.
        """
        state = TrialState(state)
        if not state.is_terminal:
            raise ValueError(f"{state} does not end a trial")
        values = {"state": state.value, "reason": checked_reason(state, reason), "ended": utc_now()}
        return _moved(session, trial_id, run_id, values)

    @writes
    def preempt_trial(
        self, session: Session, trial_id: int, reason: str, *, run_id: int | None = None
    ) -> bool:
        """Marks an unended trial as interrupted, to be claimed again; whether it did.

        Raises:
            ValueError: the reason is empty.
        """
        values = {
            "state": TrialState.PREEMPTED.value,
            "reason": checked_reason(TrialState.PREEMPTED, reason),
        }
        return _moved(session, trial_id, run_id, values)

    @writes
    def disinherit_trial(self, session: Session, trial_id: int, *, run_id: int) -> bool:
        """Notes that a trial of this run began from scratch after all; whether it did."""
        values: dict[str, Any] = {"parent_trial_id": None, "inherited_along": None}
        values["ancestry_seconds"] = 0.0
        return _updated(session, (Trial.id == trial_id, Trial.run_id == run_id), values)

    @writes
    def claim_preempted(self, session: Session, study_id: int, run_id: int) -> list[TrialRecord]:
        """Takes over every trial that no run holds, for this run, in order of their numbers.

        These are the preempted ones, and the waiting ones of no run or of one that has ended.
        They become waiting, in this run; no two runs get the same. Call `reap` before, so that
        runs whose process is gone have ended.
        """
        lock_study(session, study_id)
        ended = select(Run.id).where(Run.ended.is_not(None))
        deserted = Trial.run_id.is_(None) | Trial.run_id.in_(ended)
        free = or_(
            Trial.state == TrialState.PREEMPTED,
            (Trial.state == TrialState.WAITING) & deserted,
        )
        claimed = session.execute(
            update(Trial)
            .where(Trial.study_id == study_id, free)
            .values(state=TrialState.WAITING.value, reason=None, run_id=run_id)
            .returning(Trial.id)
            .execution_options(synchronize_session=False)
        )
        ids = list(claimed.scalars())
        query = select(*TRIAL_COLUMNS).where(Trial.study_id == study_id, Trial.run_id == run_id)
        rows = session.execute(query.order_by(Trial.number)) if ids else ()
        return [trial for trial in map(trial_record, rows) if trial.id in set(ids)]

    @reads
    def trial(self, session: Session, trial_id: int) -> TrialRecord:
        """One trial.

        Raises:
            LookupError: there is none of this id.
        """
        return _trial(session, trial_id)

    @reads
    def trials(
        self, session: Session, study_id: int, states: Collection[TrialState | str] | None = None
    ) -> list[TrialRecord]:
        """The study's trials in order of their numbers, those in `states` only when given."""
        query = select(*TRIAL_COLUMNS).where(Trial.study_id == study_id)
        if states is not None:
            query = query.where(Trial.state.in_([TrialState(state) for state in states]))
        return [trial_record(row) for row in session.execute(query.order_by(Trial.number))]

    @reads
    def trials_of(self, session: Session, architecture_id: str) -> list[TrialRecord]:
        """The trials of one architecture, over all studies, the oldest first."""
        query = select(*TRIAL_COLUMNS).where(Trial.architecture_id == architecture_id)
        return [trial_record(row) for row in session.execute(query.order_by(Trial.id))]


def _trial(session: Session, trial_id: int) -> TrialRecord:
    row = session.execute(select(*TRIAL_COLUMNS).where(Trial.id == trial_id)).one_or_none()
    if row is None:
        raise LookupError(f"no trial has the id {trial_id}")
    return trial_record(row)


def _check_new(session: Session, study_id: int, architecture_id: str, repeat: int) -> None:
    same = (
        Trial.study_id == study_id,
        Trial.architecture_id == architecture_id,
        Trial.repeat == repeat,
    )
    found = session.execute(select(*TRIAL_COLUMNS).where(*same)).one_or_none()
    if found is not None:
        raise DuplicateArchitecture(trial_record(found))


def _training_behind(session: Session, parent_id: int) -> float:
    """Seconds of training in a trial's weights: its own and those of its ancestors."""
    parent = _trial(session, parent_id)
    return parent.seconds + parent.ancestry_seconds


def _moved(session: Session, trial_id: int, run_id: int | None, values: dict[str, Any]) -> bool:
    """Puts an unended trial into the state of these values and logs it; whether it did."""
    study_id = lock_study_of(session, trial_id)
    if study_id is None or not _updated(session, _unended(trial_id, run_id), values):
        return False
    write_event(session, study_id, trial_id, EventKind(values["state"]))
    return True


def _unended(trial_id: int, run_id: int | None) -> tuple[Any, ...]:
    conditions = (Trial.id == trial_id, Trial.state.not_in(TERMINAL))
    return conditions if run_id is None else (*conditions, Trial.run_id == run_id)


def _updated(session: Session, conditions: tuple[Any, ...], values: dict[str, Any]) -> bool:
    statement = update(Trial).where(*conditions).values(values).returning(Trial.id)
    statement = statement.execution_options(synchronize_session=False)
    return session.execute(statement).one_or_none() is not None
