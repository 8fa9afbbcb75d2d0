"""The where language evaluated in plain Python, slowly and obviously: the oracle."""

import operator
from typing import Any

from search.query.where_dates import Period
from search.query.where_tree import And, Comparison, Node, Not, Or

_ATTRIBUTES = {"kernel": "kernel_size"}


def holds(node: Node, entry: dict[str, Any]) -> bool:
    """Whether the tree is true of a trial.

    Args:
        node: the tree.
        entry: the values of the trial's fields by name, under "mixers" its mixer records, and
            under "curve" the accuracies of its epochs by their numbers.
    """
    match node:
        case Not(part=part):
            return not holds(part, entry)
        case And(parts=parts):
            return all(holds(part, entry) for part in parts)
        case Or(parts=parts):
            return any(holds(part, entry) for part in parts)
        case Comparison(field=field, any_mixer=any_mixer):
            if node.at is not None:
                return compares(node, entry["curve"].get(node.at))
            if not field.of_mixer:
                return compares(node, entry[field.name])
            name = _ATTRIBUTES.get(field.name, field.name)
            mixers = [m for m in entry["mixers"] if node.stage in (None, m.stage + 1)]
            found = [compares(node, getattr(mixer, name)) for mixer in mixers]
            return any(found) if any_mixer else bool(found) and all(found)


def compares(node: Comparison, value: Any) -> bool:
    """Whether one value fulfils the comparison; what is absent fulfils none."""
    if value is None:
        return False
    values = list(node.values)
    if node.field.name == "protocol":
        begins = any(value.startswith(str(each)) for each in values)
        return begins is (node.operator in ("=", "in"))
    if node.field.name == "tag":
        return bool(value & set(values)) is (node.operator in ("=", "in"))
    if isinstance(values[0], Period):
        return compares_time(node.operator, value, values)
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


def compares_time(sign: str, time: Any, periods: list[Any]) -> bool:
    """Whether a time is before, in or after a period; in sets, in any of them."""
    if sign in ("in", "not in", "=", "!="):
        inside = any(period.start <= time < period.end for period in periods)
        return inside is (sign in ("in", "="))
    (period,) = periods
    place = -1 if time < period.start else 0 if time < period.end else 1
    return {"<": place < 0, "<=": place <= 0, ">": place > 0, ">=": place >= 0}[sign]
