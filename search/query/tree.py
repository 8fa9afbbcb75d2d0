"""A where-clause as an immutable tree of allow-listed fields and plain values."""

from dataclasses import dataclass

from search.query.fields import Field

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


def field_names(node: Node) -> set[str]:
    """The names of all fields that the tree compares."""
    match node:
        case Comparison(field=field):
            return {field.name}
        case Not(part=part):
            return field_names(part)
        case And(parts=parts) | Or(parts=parts):
            return set().union(*map(field_names, parts))
