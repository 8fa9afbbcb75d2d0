"""Trials: add, start, finish, preempt, claim, reopen. Each change stands in the event log too."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, update

from search.store.architectures import add_architecture
from search.store.database import StoreError, StorePart, reads, writes
from search.store.events import lock_study, lock_study_of, write_event
from search.store.models import RunRow, TrialRow, utc_now
from search.store.records import ParentRecord, TrialRecord
from search.store.reuse import TrainedElsewhere, busy_elsewhere, read_trial
from search.store.stale_runs import effective, stale_runs
from search.store.statements import TRIAL_COLUMNS, TRIALS, one
from search.store.trial_statements import ADD, MOVE, SAME, START
from search.trial_states import CONTINUABLE, OPEN, EventKind, TrialState, checked_reason
from space.architecture import Architecture
from space.errors import MixspaceError


class DuplicateArchitecture(MixspaceError):
    """The study has this trial of the architecture already.

    Attributes:
        trial: that trial.
    """

    def __init__(self, trial: TrialRecord) -> None:
        super().__init__(
            f"architecture {trial.architecture_id} is trial {trial.number} of the study already"
        )
        self.trial = trial


class Trials(StorePart):
    """The part of the store that keeps trials."""

    @writes
    def add(
        self,
        connection: Connection,
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
        parent: ParentRecord | None = None,
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
                first and then asks `results.find` never trains what another trains: of two
                drivers that add at once, one is refused here.

        Raises:
            DuplicateArchitecture: the study has it already.
            TrainedElsewhere: `exclusive`, and another study has it to train; nothing was added.
            LookupError: there is no such study or parent.
            StoreError: the run has ended.
        """
        lock_study(connection, study_id)
        _check_run(connection, run_id)
        _check_new(connection, study_id, architecture.id, repeat)
        is_new = add_architecture(connection, architecture, params, macs)
        if exclusive and repeat == 0 and not is_new:
            busy = busy_elsewhere(connection, study_id, architecture.id)
            if busy is not None:
                raise TrainedElsewhere(busy)
        behind = read_trial(connection, parent.trial_id) if parent else None
        values = {
            "study_id": study_id,
            "study": study_id,
            "architecture_id": architecture.id,
            "origin": origin,
            "run_id": run_id,
            "seeds": seeds,
            "decisions": decisions,
            "repeat": repeat,
            "parent_trial_id": parent and parent.trial_id,
            "inherited_along": parent and parent.along,
            "lineage_seconds": behind.seconds + behind.lineage_seconds if behind else 0.0,
            "created": utc_now(),
        }
        trial = TrialRecord(*connection.execute(ADD, values).one())
        write_event(connection, study_id, trial.id, EventKind.CREATED)
        return trial

    @writes
    def start(
        self, connection: Connection, trial_id: int, run_id: int, *, attempt: int | None = None
    ) -> bool:
        """Makes a waiting or preempted trial running in this run, `attempts` one higher.

        Args:
            trial_id: of the trial. run_id: of the run.
            attempt: what `attempts` shall be, so that doing it twice is doing it once.

        Returns:
            False, and nothing changed, when the trial has ended or belongs to another run.
        """
        values = {"trial": trial_id, "run": run_id, "now": utc_now(), "attempt": attempt}
        return connection.execute(START, values).one_or_none() is not None

    @writes
    def finish(
        self,
        connection: Connection,
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
        return _moved(connection, trial_id, run_id, state, checked_reason(state, reason), utc_now())

    @writes
    def preempt(
        self, connection: Connection, trial_id: int, reason: str, *, run_id: int | None = None
    ) -> bool:
        """Marks an unended trial as interrupted, to be claimed again; whether it did.

        Raises:
            ValueError: the reason is empty.
        """
        state = TrialState.PREEMPTED
        return _moved(connection, trial_id, run_id, state, checked_reason(state, reason), None)

    @writes
    def disinherit(self, connection: Connection, trial_id: int, *, run_id: int) -> bool:
        """Notes that a trial of this run began from scratch after all; whether it did."""
        mine = update(TrialRow).where(TrialRow.id == trial_id, TrialRow.run_id == run_id)
        scratch = mine.values(parent_trial_id=None, inherited_along=None, lineage_seconds=0.0)
        return connection.execute(scratch.returning(TrialRow.id)).one_or_none() is not None

    @writes
    def claim(self, connection: Connection, study_id: int, run_id: int) -> list[TrialRecord]:
        """Takes over every trial that no run holds, for this run, in order of their numbers.

        These are the preempted ones, and the open ones of no run or of one that has ended.
        They become waiting, in this run; no two runs get the same. Call `store.runs.end_stale`
        before, so that runs whose process is gone have ended.
        """
        lock_study(connection, study_id)
        ended = select(RunRow.id).where(RunRow.ended.is_not(None))
        deserted = TrialRow.run_id.is_(None) | TrialRow.run_id.in_(ended)
        free = or_(
            TrialRow.state == TrialState.PREEMPTED,
            TrialRow.state.in_(OPEN) & deserted,
        )
        claimed = connection.execute(
            update(TrialRow)
            .where(TrialRow.study_id == study_id, free)
            .values(state=TrialState.WAITING.value, reason=None, run_id=run_id)
            .returning(TrialRow.id)
        )
        ids = set(claimed.scalars())
        query = TRIALS.where(TrialRow.study_id == study_id, TrialRow.run_id == run_id)
        rows = connection.execute(query.order_by(TrialRow.number)) if ids else ()
        return [trial for trial in (TrialRecord(*row) for row in rows) if trial.id in ids]

    @writes
    def reopen(self, connection: Connection, trial_id: int, run_id: int) -> bool:
        """Makes a pruned, failed or infeasible trial waiting again, in this run, with its epochs.

        It is the only way out of a terminal state.

        Returns:
            False, and nothing changed, when it has not ended so, or another study with the same
            protocol has the architecture to train.
        """
        study_id = lock_study_of(connection, trial_id)
        if study_id is None:
            return False
        trial = read_trial(connection, trial_id)
        if trial.state not in CONTINUABLE:
            return False
        if trial.repeat == 0 and busy_elsewhere(connection, study_id, trial.architecture_id):
            return False
        waiting = {"state": "waiting", "reason": None, "run_id": run_id, "ended": None}
        again = waiting | {"continued": trial.continued + 1}
        connection.execute(update(TrialRow).where(TrialRow.id == trial_id).values(again))
        write_event(connection, study_id, trial_id, EventKind.CONTINUED)
        return True

    @reads
    def get(self, connection: Connection, trial_id: int) -> TrialRecord:
        """One trial.

        Raises:
            LookupError: there is none of this id.
        """
        return read_trial(connection, trial_id)

    @reads
    def of_study(
        self,
        connection: Connection,
        study_id: int,
        states: Collection[TrialState | str] | None = None,
    ) -> list[TrialRecord]:
        """The study's trials as they are written down, in order of their numbers.

        Args:
            study_id: of the study.
            states: only those in these states.
        """
        query = TRIALS.where(TrialRow.study_id == study_id)
        if states is not None:
            query = query.where(TrialRow.state.in_([TrialState(state) for state in states]))
        return [TrialRecord(*row) for row in connection.execute(query.order_by(TrialRow.number))]

    @reads
    def of_number(self, connection: Connection, study_id: int, number: int) -> TrialRecord | None:
        """The trial of this number in a study; None where there is none."""
        mine = (TrialRow.study_id == study_id, TrialRow.number == number)
        return one(connection, TrialRecord, TRIALS.where(*mine))

    @reads
    def of_architecture(self, connection: Connection, architecture_id: str) -> list[TrialRecord]:
        """The trials of one architecture as readers see them, over all studies, the oldest first.

        Those that a run left open whose process is gone are preempted, with the reason.
        """
        stale = stale_runs(connection)
        columns = [effective(column, stale) for column in TRIAL_COLUMNS]
        query = select(*columns).where(TrialRow.architecture_id == architecture_id)
        return [TrialRecord(*row) for row in connection.execute(query.order_by(TrialRow.id))]


def _check_run(connection: Connection, run_id: int | None) -> None:
    """A driver that was taken for dead, and comes back, begins nothing new."""
    ended = connection.scalar(
        select(RunRow.end_reason).where(RunRow.id == run_id, RunRow.ended.is_not(None))
    )
    if ended is not None:
        raise StoreError(f"run {run_id} has ended: {ended}")


def _check_new(connection: Connection, study_id: int, architecture_id: str, repeat: int) -> None:
    values = {"study_id": study_id, "architecture_id": architecture_id, "repeat": repeat}
    found = one(connection, TrialRecord, SAME, values)
    if found is not None:
        raise DuplicateArchitecture(found)


def _moved(
    connection: Connection,
    trial_id: int,
    run_id: int | None,
    state: TrialState,
    reason: str | None,
    ended: datetime | None,
) -> bool:
    """Takes an unended trial out of the hands of its run and logs it; whether it did."""
    study_id = lock_study_of(connection, trial_id)
    values = {"trial": trial_id, "run": run_id, "to": state, "why": reason, "when": ended}
    if study_id is None or connection.execute(MOVE, values).one_or_none() is None:
        return False
    write_event(connection, study_id, trial_id, EventKind(state))
    return True
