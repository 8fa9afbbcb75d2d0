"""Studies: create, find, summarise, read whole."""

import difflib
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from search.store.database import StorePart, reads, writes
from search.store.deletion import (
    StudyContents,
    delete_study,
    refuse_to_delete,
    study_contents,
)
from search.store.epochs import read_curves
from search.store.models import ArchitectureRow, EventRow, MetricRow, StudyRow, TrialRow, utc_now
from search.store.records import (
    EventRecord,
    NetworkRecord,
    StudyHistory,
    StudyRecord,
    StudySummary,
    TrialRecord,
)
from search.store.statements import (
    EVENTS,
    STUDIES,
    STUDY_COLUMNS,
    TRIALS,
    columns_of,
    one,
    table_of,
)
from search.store.summaries import study_summaries
from space.errors import InputError
from space.surface import surface

_MAX_NAME = 200
_CREATE = insert(table_of(StudyRow)).returning(*STUDY_COLUMNS)
_NETWORK = columns_of(NetworkRecord, ArchitectureRow)


class Studies(StorePart):
    """The part of the store that keeps studies."""

    @writes
    def create(
        self,
        connection: Connection,
        name: str,
        *,
        config: dict[str, Any],
        space: dict[str, Any],
        protocol: dict[str, Any],
        protocol_hash: str,
        objective: dict[str, Any],
        planned_trials: int,
        searcher: str,
        scheduler: str,
        seeds: dict[str, Any],
        code_version: str,
        latency_setting: str | None = None,
    ) -> StudyRecord:
        """A new study.

        Args:
            latency_setting: id of that in which its networks are measured; None if they are not.

        Raises:
            InputError: where="study", when the name is taken or cannot be one.
        """
        given = {key: value for key, value in locals().items() if key not in ("self", "connection")}
        _check_name(name)
        values = given | {"created": utc_now(), "uid": uuid4().hex}
        try:
            return StudyRecord(*connection.execute(_CREATE, values).one())
        except IntegrityError:
            raise InputError.of(
                "study",
                f"{name!r} is already in {self._database.url}; go on with it by "
                f"{surface().given('resume', True)}, or begin another by "
                f"{surface().given('study', 'NAME')}",
            ) from None

    @reads
    def get(self, connection: Connection, name: str) -> StudyRecord:
        """The study of this name.

        Raises:
            InputError: where="study", listing names that are close, or else the newest.
        """
        study = one(connection, StudyRecord, STUDIES.where(StudyRow.name == name))
        if study is not None:
            return study
        newest = connection.scalars(
            select(StudyRow.name).order_by(StudyRow.id.desc()).limit(1000)
        ).all()
        raise InputError.of("study", _absent(name, list(newest), self._database.url))

    @reads
    def by_id(self, connection: Connection, study_id: int) -> StudyRecord:
        """The study of this id.

        Raises:
            LookupError: there is none.
        """
        study = one(connection, StudyRecord, STUDIES.where(StudyRow.id == study_id))
        if study is None:
            raise LookupError(f"no study has the id {study_id}")
        return study

    @reads
    def summaries(self, connection: Connection) -> list[StudySummary]:
        """Every study as readers see it, the newest first."""
        return study_summaries(connection)

    @reads
    def summary(self, connection: Connection, study_id: int) -> StudySummary:
        """How far one study is, as readers see it: runs whose process is gone do not run.

        Raises:
            LookupError: no study has this id.
        """
        found = study_summaries(connection, study_id)
        if not found:
            raise LookupError(f"no study has the id {study_id}")
        return found[0]

    @reads
    def history(self, connection: Connection, study_id: int) -> StudyHistory:
        """All that is needed to tell a study again to a new searcher and a new scheduler.

        Read in one transaction of four queries, however long the study is; some seconds and some
        100 MB for 100,000 epochs.
        """
        query = TRIALS.where(TrialRow.study_id == study_id).order_by(TrialRow.number)
        trials = [TrialRecord(*row) for row in connection.execute(query)]
        ids = select(TrialRow.id).where(TrialRow.study_id == study_id)
        curves = read_curves(connection, MetricRow.trial_id.in_(ids))
        log = EVENTS.where(EventRow.study_id == study_id).order_by(EventRow.number)
        met = select(TrialRow.architecture_id).where(TrialRow.study_id == study_id)
        networks = select(ArchitectureRow.id, *_NETWORK).where(ArchitectureRow.id.in_(met))
        return StudyHistory(
            trials,
            {trial.id: curves.get(trial.id, []) for trial in trials},
            {id_: NetworkRecord(*values) for id_, *values in connection.execute(networks)},
            [EventRecord(*row) for row in connection.execute(log)],
        )

    @reads
    def exists(self, connection: Connection, name: str) -> bool:
        """Whether there is a study of this name."""
        found = connection.scalar(select(StudyRow.id).where(StudyRow.name == name))
        return found is not None

    @reads
    def contents(self, connection: Connection, study_id: int) -> StudyContents:
        """What would go with a study.

        Raises:
            InputError: it cannot be deleted, as `delete` says.
        """
        refuse_to_delete(connection, study_id)
        return study_contents(connection, study_id)

    @writes
    def delete(self, connection: Connection, study_id: int) -> StudyContents:
        """Deletes a study, its trials, epochs, events and runs, and architectures that are its own.

        Readings of the test split stay, and their architectures; what is measured on devices too.

        Returns:
            What went.

        Raises:
            InputError: where="study", when a run works on it, or another study rests on it.
            LookupError: there is no such study.
        """
        return delete_study(connection, study_id)

    @writes
    def set_planned_trials(
        self, connection: Connection, study_id: int, planned_trials: int
    ) -> None:
        """Changes how many trials the study shall have."""
        connection.execute(
            update(StudyRow).where(StudyRow.id == study_id).values(planned_trials=planned_trials)
        )

    @writes
    def set_budget(self, connection: Connection, study_id: int, budget: str | None) -> None:
        """Changes the device time that the study may take, in its configuration; None lifts it."""
        of_study = StudyRow.id == study_id
        config = connection.scalars(select(StudyRow.config).where(of_study).with_for_update()).one()
        changed = {**config, "budget": budget}
        connection.execute(update(StudyRow).where(of_study).values(config=changed))

    @writes
    def set_exhausted(self, connection: Connection, study_id: int, reason: str | None) -> None:
        """Notes why the study's searcher has nothing left to propose; None takes it back."""
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(exhausted=reason))

    @reads
    def was_trained(self, connection: Connection, study_id: int) -> bool:
        """Whether any epoch of the study is recorded."""
        return _was_trained(connection, study_id)

    @writes
    def set_protocol(
        self, connection: Connection, study_id: int, protocol: dict[str, Any], protocol_hash: str
    ) -> None:
        """Changes the protocol of a study of which nothing was trained.

        Raises:
            InputError: where="protocol", when epochs are recorded: they belong to its protocol.
        """
        if _was_trained(connection, study_id):
            raise InputError.of("protocol", "epochs were trained under another protocol")
        values = {"protocol": protocol, "protocol_hash": protocol_hash}
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(**values))

    @writes
    def set_retrains(self, connection: Connection, study_id: int, value: Any) -> None:
        """Notes what a study retrains, and of which other one; any JSON."""
        connection.execute(update(StudyRow).where(StudyRow.id == study_id).values(retrains=value))

    @writes
    def set_checkpoints(self, connection: Connection, study_id: int, value: Any) -> None:
        """Notes where the study's checkpoints are; any JSON, None forgets it."""
        connection.execute(
            update(StudyRow).where(StudyRow.id == study_id).values(checkpoints=value)
        )


def _was_trained(connection: Connection, study_id: int) -> bool:
    of_study = select(MetricRow.epoch).join(TrialRow).where(TrialRow.study_id == study_id)
    return connection.scalar(of_study.limit(1)) is not None


def _check_name(name: str) -> None:
    if not name or name != name.strip() or not name.isprintable() or len(name) > _MAX_NAME:
        raise InputError.of(
            "study",
            f"{name[:_MAX_NAME]!r} cannot be a name; allowed are 1 to {_MAX_NAME} printable "
            "characters without spaces at the ends",
        )


def _absent(name: str, names: list[str], url: str) -> str:
    if not names:
        return f"{name!r} does not exist; {url} holds no study yet"
    close = difflib.get_close_matches(name, names, n=5, cutoff=0.5)
    listed = ", ".join(repr(each) for each in close or names[:5])
    return f"{name!r} does not exist in {url}; " + (
        f"did you mean {listed}?" if close else f"the newest are {listed}"
    )
