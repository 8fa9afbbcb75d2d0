"""What is asked of `best`, checked, and the statement that answers it."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import (
    CTE,
    JSON,
    ColumnElement,
    Connection,
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

from search.query.best_row import BestRow
from search.query.protocols import refuse_several_protocols
from search.query.repeats import MET_OFTEN, Key, repeated, repeated_results
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of `best`, checked.

    Attributes:
        where: the clause, parsed.
        conditions: on trials, their architectures and studies.
        among: those of them that bound what counts as a repeat: of the study, the architecture.
        study_id: None of all studies.
    """

    where: Where | None
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
            conditions.append(TrialRow.state.in_(sorted(EVALUATED)))
        among: list[ColumnElement[bool]] = []
        if study_id is not None:
            among.append(TrialRow.study_id == study_id)
        if architecture is not None:
            among.append(TrialRow.architecture_id == architecture)
        return cls(parsed, (*conditions, *among), tuple(among), study_id, sort, top, stale)

    def of_one_protocol(self, store: Store) -> Self:
        """The same, once it is seen that its results compare."""
        if self.study_id is None:  # one study has one protocol
            refuse_several_protocols(store, self.conditions, where=self.where)
        return self

    def query(
        self, only: tuple[ColumnElement[bool], ...], least: float | None = None
    ) -> Select[Any]:
        chosen = _Chosen.of([*self.conditions, *only], self.among, least)
        return _query(chosen, self.sort, self.stale).limit(self.top)

    def places(self, cost: Any, *others: Any) -> Select[Any]:
        """Of the row of each architecture the trial's id, the cost, the height and the others.

        The height is the accuracy of what is complete; NULL of all else, which compares with none.
        """
        chosen = _Chosen.of(list(self.conditions), self.among, None)
        height = case((_COMPLETE, chosen.accuracy))
        columns = (TrialRow.id.label("id"), cost.label("cost"), height.label("height"), *others)
        return chosen.select(*columns)

    def rows(self, store: Store, only: tuple[ColumnElement[bool], ...]) -> list[BestRow]:
        return self.with_spreads(store, store.read(lambda connection: self._read(connection, only)))

    def read_trials(self, connection: Connection, ids: Iterable[int]) -> list[BestRow]:
        """The rows whose trials have these ids, without the spread of repeats."""
        return self._read(connection, (TrialRow.id.in_(sorted(ids)),))

    def with_spreads(self, store: Store, rows: list[BestRow]) -> list[BestRow]:
        """The rows with the spread of those that stand on several trainings."""
        several = [row.architecture_id for row in rows if row.repeats > 1]
        if not several:
            return rows
        some = TrialRow.architecture_id.in_(several) if len(several) <= _FEW else true()
        results = repeated_results(store, [*self.among, some])
        return [_with_spread(row, results) for row in rows]

    def _read(self, connection: Connection, only: tuple[ColumnElement[bool], ...]) -> list[BestRow]:
        # Whatever is below so many others is not among the first of all either.
        least = None
        if self.top is not None and canonical_sort(self.sort) == "-accuracy":
            conditions = [*self.conditions, *only]
            least = connection.scalar(_least_of(conditions, self.among, self.top))
            least = least and least - _ROUNDING
        return [BestRow(*row) for row in connection.execute(self.query(only, least))]


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


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The one trial of each architecture, as conditions on what `joined` gives.

    Attributes:
        accuracy: of the trial: of several complete ones their mean.
        several: the repeated architectures, to be joined `on`.
        condition: holds of the trials that are chosen.
    """

    accuracy: ColumnElement[float]
    several: CTE
    on: ColumnElement[bool]
    condition: ColumnElement[bool]

    @classmethod
    def of(
        cls,
        conditions: list[ColumnElement[bool]],
        among: tuple[ColumnElement[bool], ...],
        least: float | None,
    ) -> Self:
        """Those of the trials that fulfil the conditions.

        Args:
            least: what is below this accuracy, or incomplete, need not be there.
        """
        enough = [] if least is None else [_COMPLETE, TrialRow.accuracy >= least]
        # No mean is above the highest of its results.
        often = select(TrialRow.architecture_id).where(
            *among, *enough, TrialRow.architecture_id.in_(MET_OFTEN)
        )
        several = repeated(among, often)
        on = (several.c.architecture_id == TrialRow.architecture_id) & (
            several.c.protocol_hash == StudyRow.protocol_hash
        )
        # Of several complete trials their mean, of one its own.
        accuracy = func.coalesce(case((_COMPLETE, several.c.mean)), TrialRow.accuracy)
        best_first = (INCOMPLETE, nulls_last(accuracy.desc()), nulls_last(TrialRow.accuracy.desc()))
        place = func.row_number().over(
            partition_by=TrialRow.architecture_id, order_by=(*best_first, _TOOK_OVER, TrialRow.id)
        )
        trials = joined(TrialRow.id.label("id"), place.label("place")).outerjoin(several, on)
        ranked = trials.where(*conditions, TrialRow.architecture_id.in_(often)).subquery()
        first = select(ranked.c.id).where(ranked.c.place == 1)
        if least is None:
            chosen = and_(*conditions, _MET_ONCE | TrialRow.id.in_(first))
        else:  # few, which an index gives by their ids
            once = joined(TrialRow.id).where(*conditions, *enough, _MET_ONCE)
            chosen = TrialRow.id.in_(once.union_all(first))
        return cls(accuracy, several, on, chosen)

    def select(self, *columns: Any) -> Select[Any]:
        """The columns of the chosen trials."""
        return joined(*columns).outerjoin(self.several, self.on).where(self.condition)


def _query(chosen: _Chosen, sort: str, stale: StaleRuns) -> Select[Any]:
    """The rows of the chosen trials, in order."""
    columns = columns_of(
        BestRow,
        TrialRow,
        ArchitectureRow,
        StudyRow,
        accuracy=chosen.accuracy,
        epochs=TrialRow.epochs_done,
        study=StudyRow.name,
        trial=TrialRow.number,
        trial_id=TrialRow.id,
        state=effective(TrialRow.state, stale),
        judged_by=JUDGED_BY,
        repeats=func.coalesce(case((_COMPLETE, chosen.several.c.repeats)), 1),
        deviation=null(),
    )
    key = {column.key: column for column in columns}[canonical_sort(sort).removeprefix("-")]
    return chosen.select(*columns).order_by(
        INCOMPLETE,
        nulls_last(key.desc() if sort.startswith("-") else key.asc()),
        ArchitectureRow.params,
        TrialRow.architecture_id,
    )
