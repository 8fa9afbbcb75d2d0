"""Studies: create, find, summarise."""

import difflib
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from search.store.columns import utc_now
from search.store.connection import Connected, reads, writes
from search.store.mapping import RUN_COLUMNS, STUDY_COLUMNS
from search.store.models import Run, Study, Trial
from search.store.reaper import run_is_alive
from search.store.records import RunRecord, StudyRecord, StudySummary
from search.store.special import SPECIAL_COUNTS
from search.store.states import TrialState
from space.errors import InputError

_MAX_NAME = 200


class Studies(Connected):
    """The part of the store that keeps studies."""

    def create_study(
        self,
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
    ) -> StudyRecord:
        """A new study.

        Raises:
            InputError: where="study", when the name is taken or cannot be one.
        """
        _check_name(name)
        study = {key: value for key, value in locals().items() if key != "self"}
        return self._insert_study(study)

    @writes
    def _insert_study(self, session: Session, values: dict[str, Any]) -> StudyRecord:
        study = Study(created=utc_now(), uid=uuid4().hex, **values)
        session.add(study)
        try:
            session.flush()
        except IntegrityError:
            raise InputError.of(
                "study",
                f"{values['name']!r} is already in {self.url}; continue it with --resume, or "
                "choose another name with --study",
            ) from None
        row = session.execute(select(*STUDY_COLUMNS).where(Study.id == study.id)).one()
        return StudyRecord(*row)

    @reads
    def study(self, session: Session, name: str) -> StudyRecord:
        """The study of this name.

        Raises:
            InputError: where="study", listing names that are close, or else the newest.
        """
        row = session.execute(select(*STUDY_COLUMNS).where(Study.name == name)).one_or_none()
        if row is not None:
            return StudyRecord(*row)
        newest = session.scalars(select(Study.name).order_by(Study.id.desc()).limit(1000)).all()
        raise InputError.of("study", _absent(name, list(newest), self.url))

    @reads
    def study_by_id(self, session: Session, study_id: int) -> StudyRecord:
        """The study of this id.

        Raises:
            LookupError: there is none.
        """
        row = session.execute(select(*STUDY_COLUMNS).where(Study.id == study_id)).one_or_none()
        if row is None:
            raise LookupError(f"no study has the id {study_id}")
        return StudyRecord(*row)

    @reads
    def has_study(self, session: Session, name: str) -> bool:
        """Whether there is a study of this name."""
        found = session.scalar(select(Study.id).where(Study.name == name))
        return found is not None

    @writes
    def set_planned_trials(self, session: Session, study_id: int, planned_trials: int) -> None:
        """Changes how many trials the study shall have."""
        session.execute(
            update(Study).where(Study.id == study_id).values(planned_trials=planned_trials)
        )

    @writes
    def set_exhausted(self, session: Session, study_id: int, reason: str | None) -> None:
        """Notes why the study's searcher has nothing left to propose; None takes it back."""
        session.execute(update(Study).where(Study.id == study_id).values(exhausted=reason))

    @writes
    def set_checkpoints(self, session: Session, study_id: int, value: Any) -> None:
        """Notes where the study's checkpoints are; any JSON, None forgets it."""
        session.execute(update(Study).where(Study.id == study_id).values(checkpoints=value))

    @reads
    def studies(self, session: Session) -> list[StudySummary]:
        """Every study, the newest first."""
        return self._summaries(session, None)

    @reads
    def summary(self, session: Session, study_id: int) -> StudySummary:
        """How far one study is.

        Raises:
            LookupError: no study has this id.
        """
        found = self._summaries(session, study_id)
        if not found:
            raise LookupError(f"no study has the id {study_id}")
        return found[0]

    def _summaries(self, session: Session, study_id: int | None) -> list[StudySummary]:
        only = [] if study_id is None else [Study.id == study_id]
        studies = session.execute(select(*_SUMMARY_COLUMNS).where(*only).order_by(Study.id.desc()))
        trials = _trial_totals(session, study_id)
        runs = _run_totals(session, study_id, self._now(session))
        return [
            _summary(row, trials.get(row.id, _NO_TRIALS), runs.get(row.id, _NO_RUNS))
            for row in studies
        ]


_SUMMARY_COLUMNS = [
    Study.id,
    Study.name,
    Study.created,
    Study.planned_trials,
    Study.searcher,
    Study.scheduler,
    Study.protocol_hash,
    Study.exhausted,
    *SPECIAL_COUNTS,
]


class _TrialTotals(NamedTuple):
    counts: dict[TrialState, int]
    best: float | None


class _RunTotals(NamedTuple):
    running: bool
    started: datetime | None
    last: datetime | None


_NO_TRIALS = _TrialTotals(dict.fromkeys(TrialState, 0), None)
_NO_RUNS = _RunTotals(False, None, None)


def _summary(row: Any, trials: _TrialTotals, runs: _RunTotals) -> StudySummary:
    return StudySummary(
        **row._mapping,
        counts=dict(trials.counts),
        best_accuracy=trials.best,
        is_running=runs.running,
        started=runs.started,
        last_activity=runs.last or row.created,
    )


def _trial_totals(session: Session, study_id: int | None) -> dict[int, _TrialTotals]:
    """Counts by state and the best accuracy, in one grouped query that an index answers."""
    only = [] if study_id is None else [Trial.study_id == study_id]
    query = select(Trial.study_id, Trial.state, func.count(), func.max(Trial.best_accuracy))
    totals: dict[int, _TrialTotals] = {}
    for study, state, count, best in session.execute(
        query.where(*only).group_by(Trial.study_id, Trial.state)
    ):
        before = totals.get(study, _NO_TRIALS)
        known = [before.best] if before.best is not None else []
        if best is not None and state in (TrialState.COMPLETE, TrialState.PRUNED):
            known.append(best)
        counts = before.counts | {TrialState(state): count}
        totals[study] = _TrialTotals(counts, max(known, default=None))
    return totals


def _run_totals(session: Session, study_id: int | None, now: datetime) -> dict[int, _RunTotals]:
    only = [] if study_id is None else [Run.study_id == study_id]
    totals: dict[int, _RunTotals] = {}
    for row in session.execute(select(*RUN_COLUMNS).where(*only).order_by(Run.id)):
        run = RunRecord(*row)
        before = totals.get(run.study_id, _NO_RUNS)
        last = run.ended or run.heartbeat
        totals[run.study_id] = _RunTotals(
            before.running or run_is_alive(run, now),
            before.started or run.started,
            max(last, before.last or last),
        )
    return totals


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
