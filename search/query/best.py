"""The best architectures: one row each, filtered, sorted and cut by the database."""

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Select, func, nulls_last, select

from search.query.where import Where, parse_where
from search.store.models import Architecture, Study, Trial
from search.store.states import TrialState
from search.store.store import Store
from space.errors import InputError


@dataclass(frozen=True, slots=True)
class BestRow:
    """An architecture with its best trial.

    Attributes:
        accuracy: highest validation accuracy (0 to 1) of any epoch; None without a finite one.
        params: number of parameters.
        flops: multiply-accumulates for one image (the paper prints these as FLOPs).
        epochs: how many epochs the trial has.
        seconds: training time of those epochs.
        operators: the distinct mixer names in order, joined by " + ".
        study: name of the trial's study.
        trial: the trial's number in its study.
        protocol_hash: results compare only where it is equal.
    """

    architecture_id: str
    accuracy: float | None
    params: int
    flops: int
    epochs: int
    seconds: float
    scaffold: str
    depth: int
    operators: str
    study: str
    trial: int
    trial_id: int
    state: TrialState
    origin: str
    protocol_hash: str

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct mixer names, in order of first use."""
        return tuple(self.operators.split(" + "))


_COLUMNS: dict[str, Any] = {
    "architecture_id": Trial.architecture_id,
    "accuracy": Trial.best_accuracy,
    "params": Architecture.params,
    "flops": Architecture.macs,
    "epochs": Trial.epochs_done,
    "seconds": Trial.seconds,
    "scaffold": Architecture.scaffold,
    "depth": Architecture.depth,
    "operators": Architecture.operators,
    "study": Study.name,
    "trial": Trial.number,
    "trial_id": Trial.id,
    "state": Trial.state,
    "origin": Trial.origin,
    "protocol_hash": Study.protocol_hash,
}
MAX_TOP = 10_000_000
"""As many trials as a study may plan; all rows are `top=None`."""

SORT_KEYS = ("accuracy", "params", "flops", "macs", "epochs", "seconds", "depth", "trial")
"""What `best` sorts by; a leading "-" is descending."""

_STATES = (TrialState.COMPLETE, TrialState.PRUNED)


def best(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    sort: str = "-accuracy",
    top: int | None = 10,
) -> list[BestRow]:
    """One row per architecture: of its trials that `where` allows, the most accurate.

    Args:
        store: where to look.
        where: a where-clause; unless it speaks of `state`, only complete and pruned trials count.
        study: only trials of this study.
        sort: one of SORT_KEYS, "-" before it for descending; ties go by params, then by id, and
            rows without a value come last.
        top: how many rows; None is all.

    Raises:
        InputError: a malformed where-clause, an unknown study or sort key, top not in 1 to
            MAX_TOP; all of these at once.
    """
    order, clause, study_id = _checked(store, where, study, sort, top)
    query = _query(clause, study_id).order_by(*order)
    if top is not None:
        query = query.limit(top)
    rows = store.read(lambda session: session.execute(query).all())
    return [_row(row) for row in rows]


def _checked(
    store: Store, where: Where | str | None, study: str | None, sort: str, top: int | None
) -> tuple[list[Any], list[ColumnElement[bool]], int | None]:
    problems: list[Any] = []
    order: list[Any] = []
    conditions: list[ColumnElement[bool]] = []
    study_id: int | None = None
    try:
        order = _order(sort)
    except InputError as error:
        problems += error.problems
    try:
        conditions = _conditions(where)
    except InputError as error:
        problems += error.problems
    try:
        study_id = store.study(study).id if study is not None else None
    except InputError as error:
        problems += error.problems
    if top is not None and not 1 <= top <= MAX_TOP:
        message = f"{top} is not allowed; must be 1 to {MAX_TOP}"
        problems += InputError.of("--top", message).problems
    if problems:
        raise InputError(problems)
    return order, conditions, study_id


def _conditions(where: Where | str | None) -> list[ColumnElement[bool]]:
    parsed = parse_where(where) if isinstance(where, str) else where
    conditions = [] if parsed is None else [parsed.clause()]
    if parsed is None or "state" not in parsed.fields:
        conditions.append(Trial.state.in_(_STATES))
    return conditions


def _order(sort: str) -> list[Any]:
    key = sort.removeprefix("-")
    if key not in SORT_KEYS:
        allowed = ", ".join(SORT_KEYS)
        raise InputError.of("--sort", f'{sort!r} is not allowed; one of {allowed}, or "-" before')
    column = _COLUMNS["flops" if key == "macs" else key]
    first = column.desc() if sort.startswith("-") else column.asc()
    return [nulls_last(first), Architecture.params, Trial.architecture_id]


def _query(conditions: list[ColumnElement[bool]], study_id: int | None) -> Select[Any]:
    joined = (
        select(*(column.label(name) for name, column in _COLUMNS.items()))
        .join(Architecture, Architecture.id == Trial.architecture_id)
        .join(Study, Study.id == Trial.study_id)
    )
    if study_id is not None:
        # A study has an architecture once, so there is nothing to choose from.
        return joined.where(Trial.study_id == study_id, *conditions)
    place = func.row_number().over(
        partition_by=Trial.architecture_id,
        order_by=(nulls_last(Trial.best_accuracy.desc()), Trial.id),
    )
    ranked = (
        select(Trial.id.label("id"), place.label("place"))
        .join(Architecture, Architecture.id == Trial.architecture_id)
        .join(Study, Study.id == Trial.study_id)
        .where(*conditions)
        .subquery()
    )
    return joined.join(ranked, ranked.c.id == Trial.id).where(ranked.c.place == 1)


_STATE = [field.name for field in fields(BestRow)].index("state")


def _row(row: Any) -> BestRow:
    values = list(row)
    values[_STATE] = TrialState(values[_STATE])
    return BestRow(*values)
