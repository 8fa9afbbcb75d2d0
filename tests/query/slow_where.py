"""The where language evaluated in plain Python, slowly and obviously: the oracle."""

import operator
from typing import Any

from search.query.where_tree import And, Comparison, Node, Not, Or

_ATTRIBUTES = {"kernel": "kernel_size"}


def holds(node: Node, entry: dict[str, Any]) -> bool:
    """Whether the tree is true of a trial.

    Args:
        node: the tree.
        entry: the values of the trial's fields by name, and under "mixers" its mixer records.
    """
    match node:
        case Not(part=part):
            return not holds(part, entry)
        case And(parts=parts):
            return all(holds(part, entry) for part in parts)
        case Or(parts=parts):
            return any(holds(part, entry) for part in parts)
        case Comparison(field=field, any_mixer=any_mixer):
            if not field.of_mixer:
                return compares(node, entry[field.name])
            name = _ATTRIBUTES.get(field.name, field.name)
            found = [compares(node, getattr(mixer, name)) for mixer in entry["mixers"]]
            return any(found) if any_mixer else all(found)


def compares(node: Comparison, value: Any) -> bool:
    """Whether one value fulfils the comparison; what is absent fulfils none."""
    if value is None:
        return False
    values = list(node.values)
    if node.field.name == "protocol":
        begins = any(value.startswith(str(each)) for each in values)
        return begins is (node.operator in ("=", "in"))
    if node.operator == "in":
        return value in values
    if node.operator == "not in":
        return value not in values
    compare = {
        "=": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[node.operator]
    return bool(compare(value, values[0]))
