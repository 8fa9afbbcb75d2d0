"""A space with its patch size and block type chosen: a chain of stages whose costs add up.

The cost of a network is that of its stages, of the downsampling between neighbouring widths, and
of stem and head, which depend on the first and the last width alone. So the networks are the ways
through a graph: a node is a stage's width, a link the step to the next one. Stem and head are the
links from and to the outside.

The bytes that are alive at once do not add up. A piece must fit into what the maps held so far
leave of the limit, so that with this limit a node is a width together with the bytes held.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from space.architecture import Architecture, BlockType, Stage
from space.cost.network_memory import map_bytes
from space.cost.piece_costs import PieceCosts, Vector
from space.design.feasible.cost_sums import SpaceTooLarge
from space.design.feasible.stage_table import Allowed, StageCosts, StageTable
from space.design.hard_limits import PEAK, Limits
from space.design.stage_options import StageOptions
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


OUTSIDE = Node(0, 0)
"""Where a network comes from, with the images, and goes to, with the logits."""
Link = tuple[Node, Node]


@dataclass(frozen=True)
class Chain:
    """The architectures of one patch size and block type.

    Attributes:
        frame, patch_size, block_type: what they have in common.
        options: what each stage may be; none is empty.
        limits: the hard limits.
    """

    frame: Frame
    patch_size: int
    block_type: BlockType
    options: tuple[StageOptions, ...]
    limits: Limits

    def architecture(self, stages: tuple[Stage, ...]) -> Architecture:
        """The architecture with these stages."""
        return self.frame.architecture(self.patch_size, self.block_type, stages)

    @cached_property
    def _sums(self) -> PieceCosts:
        return PieceCosts(self.frame, self.limits.summed)

    @cached_property
    def _peak(self) -> PieceCosts:
        return PieceCosts(self.frame, (PEAK,))

    @cached_property
    def costs(self) -> list[StageCosts]:
        """The costs of each stage."""
        return [StageCosts(o, self.block_type, self._sums, self._peak) for o in self.options]

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
                    made[key] = StageTable(costs, *key, self.limits)
                tables[-1][node] = made[key]
        return tables

    def room(self, node: Node) -> int | None:
        """The bytes that the blocks of a stage may need; None if there is no limit."""
        return None if self.limits.peak is None else self.limits.peak - node.held

    @cached_property
    def nodes(self) -> list[list[Node]]:
        """The nodes of each stage."""
        return [_ends(links) for links in self.links[:-1]]

    @cached_property
    def links(self) -> list[dict[Link, Vector]]:
        """What each link costs: from the outside to the first stage, to the second one, and so on,
        and from the last one to the outside."""
        sums, clipped = self._sums, self.limits.clipped
        first, last = self._first_nodes(), self.options[-1].size
        links = [{(OUTSIDE, n): clipped(sums.stem(self.patch_size, n.width)) for n in first}]
        for stage in range(1, len(self.options)):
            found, larger = self._steps(stage, _ends(links[-1])), self.options[stage - 1].size
            links.append(
                {(a, b): clipped(sums.downsample(a.width, b.width, larger)) for a, b in found}
            )
        links.append({(n, OUTSIDE): clipped(sums.head(n.width, last)) for n in _ends(links[-1])})
        return links

    def _first_nodes(self) -> list[Node]:
        held = 0 if self.limits.peak is None else self._peak.image_bytes
        return [
            Node(width, held)
            for width in self.costs[0].widths()
            if self._fits(self._peak.stem, self.patch_size, width) and self._fits_head(0, width)
        ]

    def _steps(self, stage: int, before: list[Node]) -> list[Link]:
        """The links to a stage that the limit of `PEAK` leaves."""
        size = self.options[stage - 1].size
        found = [
            (node, Node(width, self._held(node, size)))
            for node in before
            for width in self.costs[stage].widths()
            if self._fits(self._peak.downsample, node.width, width, size, held=node.held)
            and self._fits_head(stage, width)
        ]
        if len(_ends(found)) > MOST_NODES:
            raise SpaceTooLarge(f"a limit of {PEAK} needs more than {MOST_NODES:,} cases a stage")
        return found

    def _fits_head(self, stage: int, width: int) -> bool:
        """Whether a network may end with this width, if the stage is the last one."""
        size, last = self.options[stage].size, len(self.options) - 1
        return stage < last or self._fits(self._peak.head, width, size, held=self._peak.image_bytes)

    def _fits(self, piece: Callable[..., Vector], *sizes: int | MapSize, held: int = 0) -> bool:
        peak = self.limits.peak
        return peak is None or held + piece(*sizes)[0] <= peak

    def _held(self, node: Node, size: MapSize) -> int:
        return 0 if self.limits.peak is None else node.held + map_bytes(node.width, size, 1)


def _ends(links: Iterable[Link]) -> list[Node]:
    return list(dict.fromkeys(after for _, after in links))
