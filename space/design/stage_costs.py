"""What the stages of a space cost, in tables: a cost for each shape and each mixer at its place.

Everything comes from `space.cost`: a stage costs the sum of its blocks.
"""

from dataclasses import dataclass
from functools import cached_property

from space.architecture import Scaffold, Stage
from space.cost import Cost
from space.cost.architecture_cost import place_cost, stage_cost
from space.design.stage_options import StageOptions
from space.design.sums import Pair
from space.geometry import MapSize

Shape = tuple[int, int, float]


def pair(spent: Cost) -> Pair:
    """Params and MACs of a cost."""
    return spent.params, spent.macs


def plus(one: Pair, other: Pair, times: int = 1) -> Pair:
    """one + times · other."""
    return one[0] + times * other[0], one[1] + times * other[1]


@dataclass(frozen=True)
class StageCosts:
    """The costs of one stage of a space in one scaffold.

    Attributes:
        options: what the stage may be.
        scaffold: the residual block around the mixers.
    """

    options: StageOptions
    scaffold: Scaffold

    def widths(self) -> list[int]:
        """The widths that some mixer fits."""
        return list(dict.fromkeys(width for width, _, _ in self.options.shapes()))

    def shapes(self, width: int) -> list[Shape]:
        """The shapes of this width."""
        return [shape for shape in self.options.shapes() if shape[0] == width]

    def shape(self, shape: Shape) -> Pair:
        """What this MLP ratio costs more than the least one of its width, over all blocks."""
        width, depth, ratio = shape
        more = plus(self._one_block(width, ratio), self._one_block(width, self._least[width]), -1)
        return plus((0, 0), more, depth)

    def place(self, width: int, depth: int, place: int) -> list[Pair]:
        """For each choice at a place of the pattern, the cost of all blocks that it fills.

        With the least MLP ratio of the width.
        """
        length = self.options.pattern_length(depth)
        hidden = Stage(1, width, self._least[width], ()).hidden_width
        return [
            pair(place_cost(self.scaffold, m, place, length, depth, width, hidden, self.size))
            for m in self.options.choices(width, depth, place)
        ]

    @property
    def size(self) -> MapSize:
        """The map of the stage."""
        return self.options.size

    def _one_block(self, width: int, ratio: float) -> Pair:
        """A block with one and the same mixer."""
        _, depth, _ = self.shapes(width)[0]
        mixer = self.options.choices(width, depth, 0)[0]
        return pair(stage_cost(Stage(1, width, ratio, (mixer,)), self.size, self.scaffold))

    @cached_property
    def _least(self) -> dict[int, float]:
        """The least MLP ratio of each width."""
        return {width: self.shapes(width)[0][2] for width in self.widths()}
