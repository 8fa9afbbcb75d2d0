"""The network that needs the least of a quantity, to say at once when limits leave nothing."""

from dataclasses import dataclass, replace

from space.architecture import Architecture, Stage
from space.cost.network_memory import map_bytes
from space.cost.piece_costs import PieceCosts
from space.design.feasible.chain import Chain, Link, Node
from space.design.feasible.fold import Fold
from space.design.hard_limits import PEAK, Limits
from space.design.stage_options import Shape


@dataclass(frozen=True)
class _Begun:
    """The first stages of a network.

    Attributes:
        needs: what they need of the quantity.
        held: bytes of the maps that stay alive beside the next stage's.
        stages: the stages.
    """

    needs: int
    held: int
    stages: tuple[Stage, ...]


def least(chain: Chain, quantity: str) -> tuple[int, Architecture]:
    """The least that a network of the chain needs of a quantity, limits aside, and that network."""
    free = replace(chain, limits=Limits())
    best = Fold(free, _Least(free, quantity)).total()[0]
    return best.needs, chain.architecture(best.stages)


class _Least:
    """The semiring of the least needs: of several beginnings those that no other one undercuts.

    That is one, and of the peak those where less is held beside the stages to come.
    """

    def __init__(self, chain: Chain, quantity: str) -> None:
        self._chain = chain
        self._reader = PieceCosts(chain.frame, (quantity,))
        self._is_peak = quantity == PEAK

    def one(self) -> list[_Begun]:
        return [_Begun(0, 0, ())]

    def join(self, ways: list[list[_Begun]]) -> list[_Begun]:
        kept: list[_Begun] = []
        ends = (end for way in ways for end in way)
        for end in sorted(ends, key=lambda end: (end.needs, end.held)):
            if not kept or (self._is_peak and end.held < kept[-1].held):
                kept.append(end)
        return kept

    def along(self, value: list[_Begun], gap: int, link: Link) -> list[_Begun]:
        before, after = (node.width for node in link)
        chain, images = self._chain, self._reader.image_bytes
        if gap == 0:
            (stem,) = self._reader.stem(chain.patch_size, after)
            return [_Begun(stem, images, ())]
        size = chain.options[gap - 1].size
        if gap == len(chain.options):
            (head,) = self._reader.head(before, size)
            return [_Begun(self._plus(b.needs, head, images), images, b.stages) for b in value]
        (down,), more = self._reader.downsample(before, after, size), map_bytes(before, size, 1)
        return [_Begun(self._plus(b.needs, down, b.held), b.held + more, b.stages) for b in value]

    def through(self, value: list[_Begun], stage: int, node: Node) -> list[_Begun]:
        shapes = self._chain.costs[stage].shapes(node.width)
        found = (self._stage(stage, shape) for shape in shapes)
        needs, made = min(found, key=lambda each: each[0])
        return [
            _Begun(self._plus(b.needs, needs, b.held), b.held, (*b.stages, made)) for b in value
        ]

    def _stage(self, stage: int, shape: Shape) -> tuple[int, Stage]:
        """The least that a stage of a shape needs, and that stage."""
        costs, (width, depth, ratio) = self._chain.costs[stage], shape
        needs, mixers = 0, []
        for place in range(costs.options.pattern_length(depth)):
            offered = costs.options.choices(width, depth, place)
            needed = costs.of_choices(self._reader, shape, place)
            (piece,), mixer = min(zip(needed, offered, strict=True), key=lambda each: each[0])
            needs = self._plus(needs, piece, 0)
            mixers.append(mixer)
        return needs, Stage(depth, width, ratio, tuple(mixers))

    def _plus(self, needs: int, piece: int, held: int) -> int:
        """The needs with one more piece, while the network holds other maps."""
        return max(needs, held + piece) if self._is_peak else needs + piece
