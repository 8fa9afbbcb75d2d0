"""Every legal move between cells along one axis, labelled as the paper labels its edges.

The paper's figure draws 13 edges; in some of them the sharing follows the locality or the channels.
Labels and kinds come from the differences between cells, for those 13 and for all other moves.
"""

from dataclasses import dataclass

from space.axes import Channels, Dynamics, Locality, Rank, Sharing
from space.cells import Cell, cell_named
from space.relation_graph import EDGES, Kind, axis_changes, kind_of_move, one_axis_moves

_ORDER = {
    "locality": [str(value) for value in Locality],
    "channels": [str(value) for value in Channels],
    "rank": [str(value) for value in Rank],
    "sharing": [str(value) for value in Sharing],
    "dynamics": [str(value) for value in Dynamics],
}

_BY_VALUE = {
    "channel": "Channel LR",
    "spatial": "Spatial LR",
    "joint": "Dim. LR",
    "attention": "Spatial Dynamic",
    "homogeneous": "Vec. Atten.",
    "inhomogeneous": "Inhomogeneous Vec. Atten.",
}


@dataclass(frozen=True, slots=True)
class Move:
    """A step between two cells, towards regularisation or dynamic weights.

    Attributes:
        source, target: the cells.
        label: in the paper's words; what the paper has no word for is called by its axis.
        kind: what the step adds.
        in_paper: whether the paper's figure draws it.
    """

    source: Cell
    target: Cell
    label: str
    kind: Kind
    in_paper: bool

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """{axis: (value before, value after)}."""
        return axis_changes(self.source, self.target)


def label_of(source: Cell, target: Cell) -> str:
    """The label of the step from one cell to another, from what changes.

    New weights come first, then low rank, then the channels, then the positions: the sharing
    follows these.
    """
    changes = axis_changes(source, target)
    for axis in ("dynamics", "rank"):
        if axis in changes:
            value = changes[axis][1]
            return _BY_VALUE.get(value, f"{axis}: {value}")
    if "channels" in changes:
        return "Dim. Sep."
    return "Locality Sep." if "locality" in changes else "Weight sharing"


def move(source: Cell, target: Cell) -> Move:
    """The step from one cell to another."""
    drawn = (source.paper_name, target.paper_name) in {(e.source, e.target) for e in EDGES}
    return Move(source, target, label_of(source, target), kind_of_move(source, target), drawn)


def paper_moves() -> tuple[Move, ...]:
    """The 13 edges of the paper's figure, labels and kinds computed."""
    return tuple(move(cell_named(edge.source), cell_named(edge.target)) for edge in EDGES)


def legal_moves() -> tuple[Move, ...]:
    """Every pair of cells one axis apart, from the value that the axis lists first."""
    return tuple(move(*_ordered(one, other)) for one, other in one_axis_moves())


def _ordered(one: Cell, other: Cell) -> tuple[Cell, Cell]:
    axis, (before, after) = next(iter(axis_changes(one, other).items()))
    order = _ORDER[axis]
    return (one, other) if order.index(before) < order.index(after) else (other, one)
