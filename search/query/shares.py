"""Accuracies are shares from 0 to 1; people think of them in per cent."""

from search.query.tree import And, Comparison, Node, Not, Or

_RULE = "accuracies are shares from 0 to 1"
_EDGES = {(">", 1.0): "no accuracy is above 1", ("<", 0.0): "no accuracy is below 0"}


def why_no_share(text: str, value: float) -> str | None:
    """Why no accuracy is compared with a number, with what may be meant; None for a share.

    Args:
        text: as it is written. value: what it says.
    """
    if 0 <= value <= 1:
        return None
    is_meant_as_share = 1 < value <= 100 and "%" not in text
    meant = f"; did you mean {value / 100:.10g} or {value:.10g}%?" if is_meant_as_share else ""
    return f"{text} is no accuracy: {_RULE}{meant}"


def unreachable(node: Node) -> list[str]:
    """What is said of comparisons of a tree that are right and that nothing can fulfil."""
    match node:
        case Not(part=part):
            return unreachable(part)
        case And(parts=parts) | Or(parts=parts):
            return list(dict.fromkeys(said for part in parts for said in unreachable(part)))
        case Comparison(field=field, operator=operator, values=values):
            edges = [_EDGES.get((operator, float(v))) for v in values if field.is_share]
            return [f"{edge}: {_RULE}" for edge in edges if edge is not None]
