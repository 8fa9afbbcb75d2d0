"""A where-clause as a tree of allow-listed fields and plain values, and the SQL it stands for.

Values are bound, names come from the allow-list. Every expression is true or false, never NULL, so
that `not` means the same as in Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from search.query.where_tokens import SHARE_RULE
from search.store.latencies import NEWEST_QUIET_FIRST
from search.store.models import (
    ArchitectureMixerRow,
    ArchitectureRow,
    LatencyRow,
    StudyRow,
    TrialRow,
)
from search.trial_states import TrialState
from space.architecture import BLOCK_TYPES, RENAMED
from space.axes import AXES
from space.custom import UNDECLARED
from space.design import METRIC_ALIASES


class Kind(StrEnum):
    """What a field is compared with."""

    NUMBER = "number"
    WORD = "word"
    TEXT = "text"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Field:
    """One name of the language.

    Attributes:
        name: as it is written.
        kind: number, one of some words, free text, or the name of an operator.
        column: what it compiles to.
        words: the allowed words of kind word.
        of_mixer: whether every mixer of an architecture has its own.
        is_share: whether it is a number from 0 to 1, which may be written in per cent.
        is_time: whether it is a time in milliseconds, which may be written with its unit.
        is_hash: whether it is a hexadecimal hash, of which the beginning will do.
    """

    name: str
    kind: Kind
    column: Any
    words: tuple[str, ...] = ()
    of_mixer: bool = False
    is_share: bool = False
    is_time: bool = False
    is_hash: bool = False


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

_FIELDS = [
    _number("params", ArchitectureRow.params),
    _number("macs", ArchitectureRow.macs),
    Field("accuracy", Kind.NUMBER, TrialRow.accuracy, is_share=True),
    Field("latency", Kind.NUMBER, _LATENCY, is_time=True),
    _number("epochs", TrialRow.epochs_done),
    _number("seconds", TrialRow.seconds),
    _number("depth", ArchitectureRow.depth),
    Field("state", Kind.WORD, TrialRow.state, tuple(TrialState)),
    Field("block_type", Kind.WORD, ArchitectureRow.block_type, tuple(BLOCK_TYPES)),
    Field("study", Kind.TEXT, StudyRow.name),
    Field("protocol", Kind.TEXT, StudyRow.protocol_hash, is_hash=True),
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
_ALIASES = TRIAL_ALIASES | {"kernel_size": "kernel", "operator": "name"} | RENAMED

FIELDS: dict[str, Field] = {field.name: field for field in _FIELDS}
"""The fields by name."""
FIELDS |= {alias: FIELDS[name] for alias, name in _ALIASES.items()}


Value = float | str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against one value, or several for `in` and `not in`.

    Attributes:
        operator: one of = != < <= > >= in "not in".
        any_mixer: at least one mixer must fulfil it, rather than every one (fields of mixers).
    """

    field: Field
    operator: str
    values: tuple[Value, ...]
    any_mixer: bool = False


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
        case Comparison(field=field, any_mixer=any_mixer):
            condition = _comparison(node)
            return _of_mixers(condition, any_mixer) if field.of_mixer else condition


def _of_mixers(condition: ColumnElement[bool], any_mixer: bool) -> ColumnElement[bool]:
    mine = ArchitectureMixerRow.architecture_id == ArchitectureRow.id
    wanted = condition if any_mixer else not_(condition)
    found = exists().where(mine, wanted).correlate_except(ArchitectureMixerRow)
    return found if any_mixer else not_(found)


def _comparison(node: Comparison) -> ColumnElement[bool]:
    if node.field.is_hash:
        begins = or_(*(node.field.column.startswith(str(value)) for value in node.values))
        return not_(begins) if node.operator in ("!=", "not in") else begins
    values = [_bound(node.field, value) for value in node.values]
    return func.coalesce(_OPERATORS[node.operator](node.field.column, values), false())


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
        _EDGES.get((each.operator, float(value)))
        for each in comparisons(node)
        if each.field.is_share
        for value in each.values
    )
    return [f"{edge}: {SHARE_RULE}" for edge in dict.fromkeys(edges) if edge is not None]
