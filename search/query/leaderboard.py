"""The best architectures: one row each, filtered, sorted and cut by the database."""

import statistics
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    null,
    nulls_last,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from search.query.best_row import OPERATOR_SEPARATOR, BestRow
from search.query.protocols import (
    StudiesOfProtocol,
    protocols_of,
    refuse_several_protocols,
)
from search.query.repeats import MET_OFTEN, Key, repeated, repeated_results
from search.query.statement import Statement, statement_of
from search.query.where import Where, joined, matching, parse_where
from search.query.where_tree import TRIAL_ALIASES
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import StaleRuns, effective
from search.store.statements import columns_of
from search.store.store import Store
from search.trial_states import EVALUATED, TrialState
from space.errors import InputError, Problem, refuse
from space.surface import surface

MAX_TOP = 10_000_000
"""As many trials as a study may plan; all rows are `top=None`."""

SORT_KEYS = (
    *("accuracy", "params", "macs", "epochs", "seconds", "depth", "trial"),
    *TRIAL_ALIASES,
)
"""What `best` sorts by; a leading "-" is descending."""


def canonical_sort(sort: str) -> str:
    """A sort key by the name that is not an alias, with its sign."""
    sign = "-" if sort.startswith("-") else ""
    key = sort.removeprefix("-")
    return sign + TRIAL_ALIASES.get(key, key)


def best(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[BestRow]:
    """One row per architecture: of its trials that `where` allows, the most accurate complete one.

    Where none is complete it is the most accurate of the others; such rows come behind all complete
    ones, in whatever order, since a training that was stopped early does not compare with them.
    Results of several protocols are refused: `best_by_protocol` has them apart.

    An architecture that was trained several times under one protocol counts with the mean of its
    complete trials, one for each pair of seeds; what was taken over has those of its source.
    `where` compares single trials.

    Args:
        store: where to look.
        where: a where-clause; unless it speaks of `state`, only complete and pruned trials count.
        study: only trials of this study.
        architecture: only the one with this id.
        sort: one of SORT_KEYS, "-" before it for descending; ties go by params, then by id, and
            rows without a value come last.
        top: how many rows; None is all.

    Raises:
        InputError: a malformed where-clause, an unknown study or sort key, top not in 1 to
            MAX_TOP, all of these at once; or results of several protocols.
    """
    asked = _Asked.of(store, where, study, architecture, sort, top)
    return asked.of_one_protocol(store).rows(store, ())


@dataclass(frozen=True, slots=True)
class BestOfProtocol:
    """The rows of `best` that came about by one protocol."""

    protocol: StudiesOfProtocol
    rows: list[BestRow]


def best_by_protocol(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[BestOfProtocol]:
    """The best of each protocol apart, that of the newest study first; none without a result.

    The arguments are those of `best`; `top` is of each protocol.

    Raises:
        InputError: as `best` does, but for several protocols.
    """
    asked = _Asked.of(store, where, study, architecture, sort, top)
    found = protocols_of(store, asked.conditions)
    return [BestOfProtocol(each, asked.rows(store, _only(each.hash))) for each in found]


def best_statements(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    architecture: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[Statement]:
    """The statements that give the rows of `best_by_protocol`, one for each protocol, in order.

    Where no trial fulfils the clause it is one, of all protocols. Their columns are the fields of
    BestRow, in that order; `deviation` alone is worked out afterwards. For the first rows by
    accuracy `best` bounds the accuracy besides, which leaves them as they are.

    Raises:
        InputError: as `best_by_protocol` does.
    """
    asked = _Asked.of(store, where, study, architecture, sort, top)
    hashes = [each.hash for each in protocols_of(store, asked.conditions)]
    found = [statement_of(store, asked.query(_only(each)), each) for each in hashes]
    return found or [statement_of(store, asked.query(()))]


def _only(protocol_hash: str) -> tuple[ColumnElement[bool]]:
    return (StudyRow.protocol_hash == protocol_hash,)


def best_of_one_operator(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> list[BestRow]:
    """Of the rows of `best` those whose architecture uses one operator throughout.

    Raises:
        InputError: as `best` does.
    """
    asked = _Asked.of(store, where, study, None, "-accuracy", None).of_one_protocol(store)
    several = ArchitectureRow.operators.contains(OPERATOR_SEPARATOR, autoescape=True)
    return asked.rows(store, (~several,))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of `best`, checked.

    Attributes:
        conditions: on trials, their architectures and studies.
        among: those of them that bound what counts as a repeat: of the study, the architecture.
        study_id: None of all studies.
    """

    conditions: tuple[ColumnElement[bool], ...]
    among: tuple[ColumnElement[bool], ...]
    study_id: int | None
    sort: str
    top: int | None
    stale: StaleRuns

    @classmethod
    def of(
        cls,
        store: Store,
        where: Where | str | None,
        study: str | None,
        architecture: str | None,
        sort: str,
        top: int | None,
    ) -> Self:
        parsed, study_id = _checked(store, where, study, sort, top)
        asks_for_states = parsed is not None and "state" in parsed.fields
        stale = store.runs.stale() if asks_for_states else {}
        conditions = matching(parsed, None, stale)
        if not asks_for_states:
            conditions.append(TrialRow.state.in_(EVALUATED))
        among: list[ColumnElement[bool]] = []
        if study_id is not None:
            among.append(TrialRow.study_id == study_id)
        if architecture is not None:
            among.append(TrialRow.architecture_id == architecture)
        return cls((*conditions, *among), tuple(among), study_id, sort, top, stale)

    def of_one_protocol(self, store: Store) -> Self:
        """The same, once it is seen that its results compare."""
        if self.study_id is None:  # one study has one protocol
            refuse_several_protocols(store, self.conditions)
        return self

    def query(
        self, only: tuple[ColumnElement[bool], ...], least: float | None = None
    ) -> Select[Any]:
        conditions = [*self.conditions, *only]
        return _query(conditions, self.among, least, self.sort, self.stale).limit(self.top)

    def rows(self, store: Store, only: tuple[ColumnElement[bool], ...]) -> list[BestRow]:
        rows = store.read(lambda session: self._read(session, only))
        several = [row.architecture_id for row in rows if row.repeats > 1]
        if not several:
            return rows
        some = TrialRow.architecture_id.in_(several) if len(several) <= _FEW else true()
        results = repeated_results(store, [*self.among, some])
        return [_with_spread(row, results) for row in rows]

    def _read(self, session: Session, only: tuple[ColumnElement[bool], ...]) -> list[BestRow]:
        # Whatever is below so many others is not among the first of all either.
        least = None
        if self.top is not None and canonical_sort(self.sort) == "-accuracy":
            conditions = [*self.conditions, *only]
            least = session.scalar(_least_of(conditions, self.among, self.top))
            least = least and least - _ROUNDING
        return [BestRow(*row) for row in session.execute(self.query(only, least))]


_ROUNDING = 1e-9
"""As the mean of equal numbers may be the next higher one."""

_FEW = 500
"""Ids in one statement; of more, all repeats are read."""


def _with_spread(row: BestRow, results: dict[Key, dict[int, float]]) -> BestRow:
    if row.repeats == 1:
        return row
    found = results[row.architecture_id, row.protocol_hash]
    return replace(row, deviation=statistics.stdev(found.values()))


def _checked(
    store: Store, where: Where | str | None, study: str | None, sort: str, top: int | None
) -> tuple[Where | None, int | None]:
    problems: list[Problem] = []
    parsed: Where | None = None
    study_id: int | None = None
    if sort.removeprefix("-") not in SORT_KEYS:
        allowed = f'one of {", ".join(SORT_KEYS)}, or "-" before'
        problems.append(Problem(surface().field("sort"), f"{sort!r} is not allowed; {allowed}"))
    try:
        parsed = parse_where(where) if isinstance(where, str) else where
    except InputError as error:
        problems += error.problems
    try:
        study_id = store.studies.get(study).id if study is not None else None
    except InputError as error:
        problems += error.problems
    if top is not None and (type(top) is not int or not 1 <= top <= MAX_TOP):
        problems.append(
            Problem(surface().field("top"), f"{top!r} is not allowed; must be 1 to {MAX_TOP}")
        )
    refuse(problems)
    return parsed, study_id


_COMPLETE = TrialRow.state == TrialState.COMPLETE
INCOMPLETE = case((_COMPLETE, 0), else_=1)
"""Complete trials come first: what was stopped early does not compare with them."""

_MET_ONCE = TrialRow.architecture_id.not_in(MET_OFTEN)

_TOOK_OVER = TrialRow.source_trial_id.is_not(None)
"""Of a training and what took it over, the training itself is shown."""

JUDGED_BY = func.coalesce(type_coerce(StudyRow.protocol, JSON)["judged_by"].as_string(), "best")
"""Of a trial: "last" or "best" of the epochs."""


def _least_of(
    conditions: list[ColumnElement[bool]], among: tuple[ColumnElement[bool], ...], top: int
) -> Select[Any]:
    """The accuracy of the last of the first `top` complete trials of what was met once.

    An index gives them in order, so that little else is read. What the other tables have to say
    stands in a subquery, so that no database begins with them.
    """
    fulfils = exists().where(
        ArchitectureRow.id == TrialRow.architecture_id,
        StudyRow.id == TrialRow.study_id,
        *conditions,
    )
    return (
        select(TrialRow.accuracy)
        .where(*among, _COMPLETE, TrialRow.accuracy.is_not(None), _MET_ONCE)
        .where(fulfils.correlate(TrialRow))
        .order_by(TrialRow.accuracy.desc())
        .offset(top - 1)
        .limit(1)
    )


def _query(
    conditions: list[ColumnElement[bool]],
    among: tuple[ColumnElement[bool], ...],
    least: float | None,
    sort: str,
    stale: StaleRuns,
) -> Select[Any]:
    """The rows of the best trial of each architecture, in order.

    Args:
        least: what is below this accuracy, or incomplete, need not be there.
    """
    enough = [] if least is None else [_COMPLETE, TrialRow.accuracy >= least]
    # No mean is above the highest of its results.
    often = select(TrialRow.architecture_id).where(
        *among, *enough, TrialRow.architecture_id.in_(MET_OFTEN)
    )
    several = repeated(among, often)
    # Of several complete trials their mean, of one its own.
    accuracy = func.coalesce(case((_COMPLETE, several.c.mean)), TrialRow.accuracy)
    columns = columns_of(
        BestRow,
        TrialRow,
        ArchitectureRow,
        StudyRow,
        accuracy=accuracy,
        epochs=TrialRow.epochs_done,
        study=StudyRow.name,
        trial=TrialRow.number,
        trial_id=TrialRow.id,
        state=effective(TrialRow.state, stale),
        judged_by=JUDGED_BY,
        repeats=func.coalesce(case((_COMPLETE, several.c.repeats)), 1),
        deviation=null(),
    )
    best_first = (INCOMPLETE, nulls_last(accuracy.desc()), nulls_last(TrialRow.accuracy.desc()))
    place = func.row_number().over(
        partition_by=TrialRow.architecture_id, order_by=(*best_first, _TOOK_OVER, TrialRow.id)
    )
    same = (several.c.architecture_id == TrialRow.architecture_id) & (
        several.c.protocol_hash == StudyRow.protocol_hash
    )
    trials = joined(TrialRow.id.label("id"), place.label("place")).outerjoin(several, same)
    ranked = trials.where(*conditions, TrialRow.architecture_id.in_(often)).subquery()
    first = select(ranked.c.id).where(ranked.c.place == 1)
    if least is None:
        chosen = and_(*conditions, _MET_ONCE | TrialRow.id.in_(first))
    else:  # few, which an index gives by their ids
        once = joined(TrialRow.id).where(*conditions, *enough, _MET_ONCE)
        chosen = TrialRow.id.in_(once.union_all(first))
    key = {column.key: column for column in columns}[canonical_sort(sort).removeprefix("-")]
    return (
        joined(*columns)
        .outerjoin(several, same)
        .where(chosen)
        .order_by(
            INCOMPLETE,
            nulls_last(key.desc() if sort.startswith("-") else key.asc()),
            ArchitectureRow.params,
            TrialRow.architecture_id,
        )
    )
