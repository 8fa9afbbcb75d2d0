"""Moves from one token mixer to another: an edge of the relation graph, an axis, a size."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from space.architecture import BLOCK_TYPES
from space.axes import AXES
from space.mixer import Mixer
from space.relation_graph import EDGES, Edge

SIZES = ("kernel_size", "groups", "heads", "ratio", "generator_ratio")
_REMEMBERED = 1 << 16


class MoveKind(StrEnum):
    """What a move changes."""

    EDGE = "edge"
    """An edge of the paper's relation graph (Figure 1), with what follows of itself."""
    AXIS = "axis"
    """A value of one axis, whatever the others are."""
    TYPES = "types"
    """Between two types of mixer that differ in one axis."""
    SIZE = "size"
    """One size of a mixer, such as its kernel."""
    BLOCK_TYPE = "block type"
    """The residual block that holds the mixers."""


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A change of one design decision.

    Attributes:
        kind: of the move.
        what: the axis or the size that changes; of an edge what it adds, in the paper's words.
        source, target: before and after: types by their names, values of an axis, sizes.
    """

    kind: MoveKind
    what: str
    source: str
    target: str

    @property
    def name(self) -> str:
        """In one line."""
        step = f"{self.source} → {self.target}"
        return step if self.kind in (MoveKind.EDGE, MoveKind.TYPES) else f"{self.what}: {step}"


_KINDS = list(MoveKind)


def in_order(move: Move) -> tuple[int, int, str, tuple[int, ...]]:
    """A key to sort by: edges as the paper draws them, axes and their values as they are written.

    Sizes go by their numbers.
    """
    edges = list(EDGE_MOVES.values())
    place = edges.index(move) if move in edges else 0
    if move.kind is MoveKind.SIZE:
        return _KINDS.index(move.kind), place, move.what, (int(move.source), int(move.target))
    if move.kind is MoveKind.TYPES:
        return _KINDS.index(move.kind), list(AXES).index(move.what), move.name, ()
    if move.kind is MoveKind.AXIS:
        values = [str(value) for value in AXES[move.what]]
        place = list(AXES).index(move.what)
    else:
        values = list(BLOCK_TYPES)
    known = tuple(values.index(each) for each in (move.source, move.target) if each in values)
    return _KINDS.index(move.kind), place, move.what, known


EDGE_MOVES: dict[tuple[str, str], Move] = {
    (edge.source.label, edge.target.label): Move(
        MoveKind.EDGE, edge.label, edge.source.name, edge.target.name
    )
    for edge in EDGES
}
"""The 13 edges of the paper's figure, by the labels of their types, in its order."""


@lru_cache(_REMEMBERED)
def moves_between(source: Mixer, target: Mixer) -> tuple[Move, ...]:
    """The moves that lead from one mixer to another; none where more than a move lies between.

    What both have of sizes and options must be equal. An option at the default of its type is
    equal to another at that of its own, and the edges of a window and of a sliding kernel, of
    which only the latter must be odd, are equal where they differ by one.
    """
    if source == target:
        return ()
    if source.type == target.type:
        return _of_sizes(source.to_dict(), target.to_dict())
    if not _equal_where_both_have(source, target):
        return ()
    edge = EDGE_MOVES.get((source.type.label, target.type.label))
    found = [] if edge is None else [edge]
    changes = Edge(source.type, target.type).changes
    if len(changes) == 1:
        ((axis, (before, after)),) = changes.items()
        values = [str(value) for value in AXES[axis]]
        if values.index(before) < values.index(after):
            found.append(Move(MoveKind.AXIS, axis, before, after))
            found.append(Move(MoveKind.TYPES, axis, source.name, target.name))
    return tuple(found)


def _of_sizes(source: dict[str, Any], target: dict[str, Any]) -> tuple[Move, ...]:
    changed = [name for name in source if source[name] != target.get(name)]
    if len(changed) != 1 or changed[0] not in SIZES or source.keys() != target.keys():
        return ()
    before, after = source[changed[0]], target[changed[0]]
    if before > after:
        return ()
    what = changed[0].replace("_", " ")
    return (Move(MoveKind.SIZE, what, str(before), str(after)),)


def _equal_where_both_have(source: Mixer, target: Mixer) -> bool:
    one, other = _off_default(source), _off_default(target)
    unequal = {name for name in one.keys() & other.keys() if one[name] != other[name]}
    if source.locality != target.locality and unequal == {"kernel_size"}:
        return bool(abs(one["kernel_size"] - other["kernel_size"]) == 1)
    return not unequal


def _off_default(mixer: Mixer) -> dict[str, Any]:
    """The fields that apply beside the axes; None where one has the default of its type."""
    defaults = Mixer.applicable(*mixer.type.values)
    return {
        name: None if getattr(mixer, name) == default else getattr(mixer, name)
        for name, default in defaults.items()
    }
