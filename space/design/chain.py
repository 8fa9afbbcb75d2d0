"""A space with its patch size and scaffold chosen: a chain of stages whose costs add up.

The cost of a network is that of its stages, of the downsampling between neighbouring widths, and
of stem and head, which depend on the first and the last width alone. So the networks are the ways
through a graph: a node is a stage's width, a link the step to the next one.

The bytes that are alive at once do not add up. A piece must fit into what the maps held so far
leave of the limit, so that with this limit a node is a width together with the bytes held.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from space.architecture import Architecture, BlockType, Stage
from space.cost.activations.pieces import map_bytes
from space.design.ceiling import PEAK, Ceiling
from space.design.meter import Meter
from space.design.stage_costs import Allowed, StageCosts
from space.design.stage_options import StageOptions
from space.design.stage_table import StageTable
from space.design.sums import Vector
from space.design.too_large import TooLarge
from space.frame import Frame
from space.geometry import MapSize

MOST_NODES = 2**12
"""Nodes of one stage before a space counts as too large."""


class Node(NamedTuple):
    """Where a stage begins.

    Attributes:
        width: its channels.
        held: bytes of the maps that the network holds besides; 0 where no limit asks for it.
    """

    width: int
    held: int


Link = tuple[Node, Node]


@dataclass(frozen=True)
class Chain:
    """The architectures of one patch size and scaffold.

    Attributes:
        frame, patch_size, scaffold: what they have in common.
        options: what each stage may be; none is empty.
        ceiling: the hard limits.
    """

    frame: Frame
    patch_size: int
    scaffold: BlockType
    options: tuple[StageOptions, ...]
    ceiling: Ceiling

    def architecture(self, stages: tuple[Stage, ...]) -> Architecture:
        """The architecture with these stages."""
        return self.frame.architecture(self.patch_size, self.scaffold, stages)

    @cached_property
    def _sums(self) -> Meter:
        return Meter(self.frame, self.ceiling.names)

    @cached_property
    def _peak(self) -> Meter:
        return Meter(self.frame, (PEAK,))

    @cached_property
    def costs(self) -> list[StageCosts]:
        """The costs of each stage."""
        return [StageCosts(o, self.scaffold, self._sums, self._peak) for o in self.options]

    @cached_property
    def tables(self) -> list[dict[Node, StageTable]]:
        """For each stage, the table of each node; nodes that leave the same choices share one."""
        tables: list[dict[Node, StageTable]] = []
        for costs, nodes in zip(self.costs, self.nodes, strict=True):
            made: dict[tuple[int, tuple[Allowed, ...]], StageTable] = {}
            tables.append({})
            for node in nodes:
                key = node.width, costs.allowed(node.width, self.room(node))
                if key not in made:
                    made[key] = StageTable(costs, *key, self.ceiling)
                tables[-1][node] = made[key]
        return tables

    def room(self, node: Node) -> int | None:
        """The bytes that the blocks of a stage may need; None if there is no limit."""
        return None if self.ceiling.peak is None else self.ceiling.peak - node.held

    @cached_property
    def nodes(self) -> list[list[Node]]:
        """The nodes of each stage."""
        nodes = [self._first_nodes()]
        for links in self.links:
            nodes.append(list(dict.fromkeys(after for _, after in links)))
        return nodes

    @cached_property
    def links(self) -> list[dict[Link, Vector]]:
        """For each gap between two stages, what each link costs."""
        links, nodes = [], self._first_nodes()
        for gap in range(len(self.options) - 1):
            size = self.options[gap].size
            found = [
                (node, Node(width, self._held(node, gap)))
                for node in nodes
                for width in self.costs[gap + 1].widths()
                if self._fits(self._peak.step, node.width, width, size, held=node.held)
                and self._fits_head(gap + 1, width)
            ]
            nodes = list(dict.fromkeys(after for _, after in found))
            if len(nodes) > MOST_NODES:
                raise TooLarge(f"a limit of {PEAK} needs more than {MOST_NODES:,} cases a stage")
            links.append({(a, b): self._counted(a.width, b.width, gap) for a, b in found})
        return links

    def _first_nodes(self) -> list[Node]:
        held = 0 if self.ceiling.peak is None else self._peak.images
        return [
            Node(width, held)
            for width in self.costs[0].widths()
            if self._fits(self._peak.stem, self.patch_size, width) and self._fits_head(0, width)
        ]

    def _fits_head(self, stage: int, width: int) -> bool:
        """Whether a network may end with this width, if the stage is the last one."""
        size, last = self.options[stage].size, len(self.options) - 1
        return stage < last or self._fits(self._peak.top, width, size, held=self._peak.images)

    def _fits(self, piece: Callable[..., Vector], *sizes: int | MapSize, held: int = 0) -> bool:
        peak = self.ceiling.peak
        return peak is None or held + piece(*sizes)[0] <= peak

    def _held(self, node: Node, gap: int) -> int:
        if self.ceiling.peak is None:
            return 0
        return node.held + map_bytes(node.width, self.options[gap].size, 1)

    def _counted(self, before: int, after: int, gap: int) -> Vector:
        return self.ceiling.counted(self._sums.step(before, after, self.options[gap].size))

    def first(self, node: Node) -> Vector:
        """The counted cost of the stem before a first stage."""
        return self.ceiling.counted(self._sums.stem(self.patch_size, node.width))

    def last(self, node: Node) -> Vector:
        """The counted cost of the head after a last stage."""
        return self.ceiling.counted(self._sums.top(node.width, self.options[-1].size))

    def following(self, stage: int, node: Node) -> list[tuple[Node, Vector]]:
        """The nodes of the next stage that a node leads to, and what the way there costs."""
        return self._following[stage][node]

    @cached_property
    def _following(self) -> list[dict[Node, list[tuple[Node, Vector]]]]:
        found: list[dict[Node, list[tuple[Node, Vector]]]] = []
        for nodes, links in zip(self.nodes, self.links, strict=False):
            found.append({node: [] for node in nodes})
            for (before, after), cost in links.items():
                found[-1][before].append((after, cost))
        return found
