"""The paper's relation graph (Figure 1), drawn from the cells: what changes along each edge.

The paper names 12 nodes and draws 13 edges between them. The pairs and labels are the paper's; the
kind of each edge, and the axes that change along it, are computed from the cells.
"""

from dataclasses import dataclass
from enum import StrEnum

from space.axes import AXES
from space.cells import PAPER_NAMES, Cell, all_cells, cell_named


class Kind(StrEnum):
    """What an edge of the relation graph adds (its colour in the paper's figure)."""

    SPARSE = "sparse"
    """Sparse connection: regularisation."""
    LOW_RANK = "low rank"
    """Low rank: regularisation."""
    DYNAMIC = "dynamic"
    """Dynamic weights."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of the relation graph.

    Attributes:
        source, target: names of two nodes.
        label: the paper's label.
    """

    source: str
    target: str
    label: str

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """The axes whose values differ: {axis: (value at the source, value at the target)}."""
        return axis_changes(cell_named(self.source), cell_named(self.target))

    @property
    def kind(self) -> Kind:
        """What the edge adds, from the axes that change along it."""
        return kind_of_move(cell_named(self.source), cell_named(self.target))


def axis_changes(source: Cell, target: Cell) -> dict[str, tuple[str, str]]:
    """The axes in which two cells differ, with both values."""
    pairs = zip(AXES, source.values, target.values, strict=True)
    return {axis: (str(a), str(b)) for axis, a, b in pairs if a != b}


def kind_of_move(source: Cell, target: Cell) -> Kind:
    """What a move between two cells adds.

    New dynamic weights come first, as in the paper: where they come in, the sharing follows them.
    """
    changes = axis_changes(source, target)
    if "dynamics" in changes:
        return Kind.DYNAMIC
    return Kind.LOW_RANK if "rank" in changes else Kind.SPARSE


NODES: tuple[str, ...] = tuple(PAPER_NAMES)
"""The 12 nodes, by the paper's names."""

EDGES: tuple[Edge, ...] = (
    Edge("MLP", "Conv.", "Locality Sep."),
    Edge("MLP", "Sep. MLP", "Dim. Sep."),
    Edge("MLP", "LR MLP", "Dim. LR"),
    Edge("Conv.", "Pyramid MS Conv.", "Spatial LR"),
    Edge("Conv.", "Bottleneck", "Channel LR"),
    Edge("Conv.", "DW-S Conv.", "Dim. Sep."),
    Edge("Sep. MLP", "DW-S Conv.", "Locality Sep."),
    Edge("Sep. MLP", "ViT", "Spatial Dynamic"),
    Edge("ViT", "Local ViT", "Locality Sep."),
    Edge("ViT", "PVT", "Spatial LR"),
    Edge("DW-S Conv.", "Dynamic DW-S Conv.", "Vec. Atten."),
    Edge("DW-S Conv.", "Dynamic Local-S MLP", "Inhomogeneous Vec. Atten."),
    Edge("Local ViT", "Dynamic Local-S MLP", "Inhomogeneous Vec. Atten."),
)
"""The 13 edges of the paper's figure."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "Sep. MLP": ("MLP-Mixer", "ResMLP"),
    "Bottleneck": ("ResNet",),
    "Pyramid MS Conv.": ("HRNet", "Res2Net"),
    "DW-S Conv.": ("IGC", "Xception", "MobileNet", "EfficientNet", "ShuffleNet"),
    "ViT": ("Vision Transformer",),
    "Local ViT": ("Swin",),
    "PVT": ("Pyramid ViT",),
    "Dynamic Local-S MLP": ("Dynamic LightConv", "Involution"),
}
"""Networks that the paper's figure names beside its nodes."""


def one_axis_moves() -> list[tuple[Cell, Cell]]:
    """Every pair of cells that differ in exactly one axis, each pair once."""
    cells = all_cells()
    return [
        (source, target)
        for place, source in enumerate(cells)
        for target in cells[place + 1 :]
        if len(axis_changes(source, target)) == 1
    ]
