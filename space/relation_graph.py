"""The paper's relation graph (Figure 1), extended to all mixer types: what changes on an edge.

The paper names 12 nodes and draws 13 edges between them; in five of these the sharing follows the
locality or the channels. All other edges join two types that differ in one axis. Only the nodes and
the pairs are the paper's: labels and kinds are computed from the mixer types.
"""

from dataclasses import dataclass
from enum import StrEnum

from space.axes import AXES
from space.mixer_types import PAPER_NAMES, MixerType, all_mixer_types, mixer_type_named
from space.source_registry import SOURCES


class EdgeKind(StrEnum):
    """What an edge of the relation graph adds (its colour in the paper's figure)."""

    SPARSE = "sparse"
    """Sparse connection: regularisation."""
    LOW_RANK = "low rank"
    """Low rank: regularisation."""
    DYNAMIC = "dynamic"
    """Dynamic weights."""


_LABELS = {"channel": "Channel LR", "spatial": "Spatial LR", "joint": "Dim. LR"} | {
    word: source.edge_label for word, source in SOURCES.items() if source.edge_label is not None
}
"""The paper's labels of edges to another rank or other dynamics, by their value at the target."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A step between two mixer types, towards regularisation or dynamic weights."""

    source: MixerType
    target: MixerType

    @property
    def changes(self) -> dict[str, tuple[str, str]]:
        """The axes whose values differ: {axis: (value at the source, value at the target)}."""
        pairs = zip(AXES, self.source.values, self.target.values, strict=True)
        return {axis: (str(a), str(b)) for axis, a, b in pairs if a != b}

    @property
    def kind(self) -> EdgeKind:
        """What the edge adds.

        New dynamic weights come first, as in the paper: where they come in, the sharing follows.
        """
        changes = self.changes
        if any(SOURCES[word].dynamic for word in changes.get("dynamics", ())):
            return EdgeKind.DYNAMIC
        return EdgeKind.LOW_RANK if "rank" in changes else EdgeKind.SPARSE

    @property
    def label(self) -> str:
        """In the paper's words; what the paper has no word for is called by its axis.

        New weights come first, then low rank, then the channels, then the positions: the sharing
        follows these.
        """
        changes = self.changes
        for axis in ("dynamics", "rank"):
            if axis in changes:
                value = changes[axis][1]
                return _LABELS.get(value, f"{axis}: {value}")
        if "channels" in changes:
            return "Dim. Sep."
        return "Locality Sep." if "locality" in changes else "Weight sharing"


NODES: tuple[str, ...] = tuple(PAPER_NAMES)
"""The 12 nodes, by the paper's names."""

EDGES: tuple[Edge, ...] = tuple(
    Edge(mixer_type_named(source), mixer_type_named(target))
    for source, target in (
        ("MLP", "Conv."),
        ("MLP", "Sep. MLP"),
        ("MLP", "LR MLP"),
        ("Conv.", "Pyramid MS Conv."),
        ("Conv.", "Bottleneck"),
        ("Conv.", "DW-S Conv."),
        ("Sep. MLP", "DW-S Conv."),
        ("Sep. MLP", "ViT"),
        ("ViT", "Local ViT"),
        ("ViT", "PVT"),
        ("DW-S Conv.", "Dynamic DW-S Conv."),
        ("DW-S Conv.", "Dynamic Local-S MLP"),
        ("Local ViT", "Dynamic Local-S MLP"),
    )
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


@dataclass(frozen=True, slots=True)
class RelationGraph:
    """A graph of mixer types.

    Attributes:
        nodes: the types.
        edges: between them, towards regularisation or dynamic weights.
    """

    nodes: tuple[MixerType, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of_paper(cls) -> "RelationGraph":
        """The 12 nodes and the 13 edges of the paper's figure."""
        return cls(tuple(map(mixer_type_named, NODES)), EDGES)

    @classmethod
    def of_all_types(cls) -> "RelationGraph":
        """All 74 types, an edge between any two that differ in one axis."""
        return cls(all_mixer_types(), one_axis_edges())

    def neighbours(self, node: MixerType | str) -> tuple[MixerType, ...]:
        """The types that an edge joins with one, which may be given by its name or label.

        Raises:
            InputError: for a name that no type has.
        """
        found = mixer_type_named(node) if isinstance(node, str) else node
        ends = ((edge.source, edge.target) for edge in self.edges)
        return tuple(b if a == found else a for a, b in ends if found in (a, b))


def one_axis_edges() -> tuple[Edge, ...]:
    """Every pair of types that differ in one axis, from the value that the axis lists first."""
    mixer_types = all_mixer_types()
    pairs = (
        Edge(one, other) for i, one in enumerate(mixer_types) for other in mixer_types[i + 1 :]
    )
    return tuple(map(_in_order, (edge for edge in pairs if len(edge.changes) == 1)))


def _in_order(edge: Edge) -> Edge:
    axis, (before, after) = next(iter(edge.changes.items()))
    order = [str(value) for value in AXES[axis]]
    return edge if order.index(before) < order.index(after) else Edge(edge.target, edge.source)
