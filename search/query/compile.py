"""From the tree to SQLAlchemy expressions; values are bound, names come from the allow-list.

Every expression is true or false, never NULL, so that `not` means the same as in Python.
"""

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
)
from sqlalchemy.types import TypeEngine

from search.query.fields import Field, Kind
from search.query.tree import And, Comparison, Node, Not, Or, Value
from search.store.models import Architecture, ArchitectureMixer


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
    mine = ArchitectureMixer.architecture_id == Architecture.id
    wanted = condition if any_mixer else not_(condition)
    found = exists().where(mine, wanted).correlate_except(ArchitectureMixer)
    return found if any_mixer else not_(found)


def _comparison(node: Comparison) -> ColumnElement[bool]:
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
