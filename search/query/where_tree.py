"""A where-clause as a tree of allow-listed fields and plain values, and the SQL it stands for.

Values are bound, names come from the allow-list. Every expression is true or false, never NULL, so
that `not` means the same as in Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Double,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from search.query.where_dates import Period
from search.query.where_tokens import SHARE_RULE
from search.store.latencies import NEWEST_QUIET_FIRST
from search.store.models import (
    ArchitectureMixerRow,
    ArchitectureRow,
    ArchitectureTagRow,
    LatencyRow,
    MetricRow,
    StudyRow,
    TrialRow,
    UtcDateTime,
)
from search.trial_states import TrialState
from space.architecture import BLOCK_TYPES, RENAMED
from space.axes import AXES
from space.custom import UNDECLARED
from space.design import METRIC_ALIASES


class Kind(StrEnum):
    """What a field is compared with."""

    NUMBER = "number"
    DATE = "date"
    WORD = "word"
    TEXT = "text"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Field:
    """One name of the language.

    Attributes:
        name: as it is written.
        kind: number, date, one of some words, free text, or the name of an operator.
        column: what it compiles to.
        words: the allowed words of kind word.
        of_mixer: whether every mixer of an architecture has its own.
        is_share: whether it is a number from 0 to 1, which may be written in per cent.
        is_time: whether it is a time in milliseconds, which may be written with its unit.
        is_hash: whether it is a hexadecimal hash, of which the beginning will do.
        is_set: whether an architecture has any number of it: `=` holds where the value is among
            them, `!=` where it is not.
        of_epoch: what `at 10` compares instead: the figure of one epoch; None where there is none.
    """

    name: str
    kind: Kind
    column: Any
    words: tuple[str, ...] = ()
    of_mixer: bool = False
    is_share: bool = False
    is_time: bool = False
    is_hash: bool = False
    is_set: bool = False
    of_epoch: Any = None


def _number(name: str, column: Any, of_mixer: bool = False) -> Field:
    return Field(name, Kind.NUMBER, column, of_mixer=of_mixer)


_LATENCY = (
    select(LatencyRow.median_ms)
    .where(
        LatencyRow.setting_id == StudyRow.latency_setting,
        LatencyRow.architecture_id == ArchitectureRow.id,
    )
    .order_by(*NEWEST_QUIET_FIRST)
    .limit(1)
    .correlate(StudyRow, ArchitectureRow)
    .scalar_subquery()
)
"""Of a network on the device of the trial's study, where it was measured there."""


def _of_json(column: Any, *path: str) -> Any:
    """A text in a column of JSON; NULL where it is not there."""
    return type_coerce(column, JSON)[path].as_string()


def _seed(name: str) -> Any:
    """A seed of a trial, below 2³², which a double holds exactly."""
    return cast(_of_json(TrialRow.seeds, name), Double)


_DATASET = func.coalesce(
    _of_json(StudyRow.protocol, "data"), _of_json(StudyRow.config, "data", "name")
)

_FIELDS = [
    _number("params", ArchitectureRow.params),
    _number("macs", ArchitectureRow.macs),
    Field(
        "accuracy",
        Kind.NUMBER,
        TrialRow.accuracy,
        is_share=True,
        of_epoch=MetricRow.validation_accuracy,
    ),
    Field("latency", Kind.NUMBER, _LATENCY, is_time=True),
    _number("epochs", TrialRow.epochs_done),
    _number("seconds", TrialRow.seconds),
    _number("depth", ArchitectureRow.depth),
    Field("date", Kind.DATE, TrialRow.created),
    Field("ended", Kind.DATE, TrialRow.ended),
    _number("seed", _seed("initialisation")),
    _number("seed_data_order", _seed("data_order")),
    Field("state", Kind.WORD, TrialRow.state, tuple(TrialState)),
    Field("block_type", Kind.WORD, ArchitectureRow.block_type, tuple(BLOCK_TYPES)),
    Field("study", Kind.TEXT, StudyRow.name),
    Field("dataset", Kind.TEXT, _DATASET),
    Field("protocol", Kind.TEXT, StudyRow.protocol_hash, is_hash=True),
    Field("tag", Kind.TEXT, ArchitectureTagRow.tag, is_set=True),
    _number("kernel", ArchitectureMixerRow.kernel_size, of_mixer=True),
    _number("heads", ArchitectureMixerRow.heads, of_mixer=True),
    _number("groups", ArchitectureMixerRow.groups, of_mixer=True),
    _number("ratio", ArchitectureMixerRow.ratio, of_mixer=True),
    *(
        Field(axis, Kind.WORD, column, (*values, UNDECLARED), of_mixer=True)
        for axis, values, column in (
            (axis, values, getattr(ArchitectureMixerRow, axis)) for axis, values in AXES.items()
        )
    ),
    Field("name", Kind.OPERATOR, ArchitectureMixerRow.name, of_mixer=True),
]
TRIAL_ALIASES = METRIC_ALIASES | {"validation_accuracy": "accuracy"}
"""Metrics of trials by the names that configurations and logs have for them."""
_ALIASES = (
    TRIAL_ALIASES
    | {"kernel_size": "kernel", "operator": "name"}
    | {"created": "date", "seed_initialisation": "seed"}
    | RENAMED
)

FIELDS: dict[str, Field] = {field.name: field for field in _FIELDS}
"""The fields by name."""
FIELDS |= {alias: FIELDS[name] for alias, name in _ALIASES.items()}


Value = float | str | Period


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against one value, or several for `in` and `not in`.

    Attributes:
        operator: one of = != < <= > >= in "not in".
        any_mixer: at least one mixer must fulfil it, rather than every one (fields of mixers).
        stage: only mixers of this stage are meant, from 1; None of all. A network without the
            stage fulfils nothing.
        at: the epoch whose figure is meant; None of that by which trials are judged.
    """

    field: Field
    operator: str
    values: tuple[Value, ...]
    any_mixer: bool = False
    stage: int | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """Holds where its part does not."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """Holds where all parts do."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Holds where some part does."""

    parts: tuple["Node", ...]


Node = Comparison | Not | And | Or


def comparisons(node: Node, negated: bool = False) -> Iterator[Comparison]:
    """All comparisons of a tree, in order, each as what is asked for: of `not a = 1` a != 1."""
    match node:
        case Comparison(operator=operator):
            yield replace(node, operator=_OPPOSITES[operator]) if negated else node
        case Not(part=part):
            yield from comparisons(part, not negated)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from comparisons(part, negated)


_PAIRS = {"=": "!=", "<": ">=", ">": "<=", "in": "not in"}
_OPPOSITES = _PAIRS | {other: operator for operator, other in _PAIRS.items()}


def compiled(node: Node) -> ColumnElement[bool]:
    """The condition that a tree stands for, for rows of trials, architectures and studies."""
    match node:
        case Not(part=part):
            return not_(compiled(part))
        case And(parts=parts):
            return and_(*map(compiled, parts))
        case Or(parts=parts):
            return or_(*map(compiled, parts))
        case Comparison(field=field):
            condition = _comparison(node)
            return _of_mixers(node, condition) if field.of_mixer else condition


def _of_mixers(node: Comparison, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    # Of the trial, so that the row of its architecture need not be read for it.
    mine = [ArchitectureMixerRow.architecture_id == TrialRow.architecture_id]
    if node.stage is not None:
        mine.append(ArchitectureMixerRow.stage == node.stage - 1)

    def some(*wanted: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(*mine, *wanted).correlate_except(ArchitectureMixerRow)

    if node.any_mixer:
        return some(condition)
    every = not_(some(not_(condition)))
    return every if node.stage is None else and_(some(), every)


def _comparison(node: Comparison) -> ColumnElement[bool]:
    column = node.field.column if node.at is None else _at_epoch(node.field.of_epoch, node.at)
    if node.field.is_hash:
        begins = or_(*(column.startswith(str(value)) for value in node.values))
        return not_(begins) if node.operator in ("!=", "not in") else begins
    if node.field.is_set:
        has = _is_among(column, [_bound(node.field, value) for value in node.values])
        return not_(has) if node.operator in ("!=", "not in") else has
    periods = [value for value in node.values if isinstance(value, Period)]
    if periods:
        return func.coalesce(_in_time(column, node.operator, periods), false())
    values = [_bound(node.field, value) for value in node.values]
    return func.coalesce(_OPERATORS[node.operator](column, values), false())


def _is_among(column: Any, values: list[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether the tags of the architecture have one of these."""
    mine = ArchitectureTagRow.architecture_id == TrialRow.architecture_id
    return exists().where(mine, column.in_(values)).correlate_except(ArchitectureTagRow)


def _at_epoch(figure: Any, epoch: int) -> Any:
    mine = (MetricRow.trial_id == TrialRow.id, MetricRow.epoch == epoch)
    return select(figure).where(*mine).correlate(TrialRow).scalar_subquery()


def _in_time(column: Any, operator: str, periods: list[Period]) -> ColumnElement[bool]:
    """A time against periods: the edges of a day belong to it, whatever the sign."""
    first = periods[0]
    match operator:
        case "<":
            return _before(column, first.start)
        case "<=":
            return _before(column, first.end)
        case ">":
            return not_(_before(column, first.end))
        case ">=":
            return not_(_before(column, first.start))
    within = or_(*(and_(not_(_before(column, p.start)), _before(column, p.end)) for p in periods))
    return not_(within) if operator in ("!=", "not in") else within


def _before(column: Any, moment: datetime) -> ColumnElement[bool]:
    """Whether a time is earlier than a moment."""
    earlier: ColumnElement[bool] = column < bindparam(
        None, moment, type_=UtcDateTime(), unique=True
    )
    return earlier


_OPERATORS: dict[str, Any] = {
    "=": lambda left, right: left == right[0],
    "!=": lambda left, right: left != right[0],
    "<": lambda left, right: left < right[0],
    "<=": lambda left, right: left <= right[0],
    ">": lambda left, right: left > right[0],
    ">=": lambda left, right: left >= right[0],
    "in": lambda left, right: left.in_(right),
    "not in": lambda left, right: left.not_in(right),
}


def _bound(field: Field, value: Value) -> ColumnElement[Any]:
    # The type is the value's own: as the column's, PostgreSQL would round 2.5 to an integer.
    kind: TypeEngine[Any] = Double() if field.kind is Kind.NUMBER else Text()
    return bindparam(None, value, type_=kind, unique=True)


_EDGES = {(">", 1.0): "no accuracy is above 1", ("<", 0.0): "no accuracy is below 0"}


def unreachable(node: Node) -> list[str]:
    """What is said of comparisons of a tree that are right and that nothing can fulfil."""
    edges = (
        _EDGES.get((each.operator, value))
        for each in comparisons(node)
        if each.field.is_share
        for value in each.values
        if isinstance(value, float)
    )
    return [f"{edge}: {SHARE_RULE}" for edge in dict.fromkeys(edges) if edge is not None]
