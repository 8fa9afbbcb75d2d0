"""A space with its patch size and scaffold chosen: a chain of stages whose costs add up.

The cost of a network is that of its stages, of the downsampling between neighbouring widths, and
of stem and head, which depend on the first and the last width alone.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property

from space.architecture import Architecture, Downsample, Head, Input, Scaffold, Stage, Stem
from space.cost.architecture_cost import downsample_cost, head_cost, stem_cost
from space.design.stage_costs import StageCosts, pair
from space.design.stage_options import StageOptions
from space.design.stage_table import Ceiling, StageTable
from space.design.sums import Pair


@dataclass(frozen=True)
class Chain:
    """The architectures of one patch size and scaffold.

    Attributes:
        image, patch_size, scaffold, head, downsample: what they have in common.
        options: what each stage may be; none is empty.
        ceiling: the hard limits.
    """

    image: Input
    patch_size: int
    scaffold: Scaffold
    head: Head
    downsample: Downsample
    options: tuple[StageOptions, ...]
    ceiling: Ceiling

    def architecture(self, stages: tuple[Stage, ...]) -> Architecture:
        """The architecture with these stages."""
        return Architecture(
            self.image, Stem(self.patch_size), self.scaffold, stages, self.head, self.downsample
        )

    @cached_property
    def costs(self) -> list[StageCosts]:
        """The costs of each stage."""
        return [StageCosts(options, self.scaffold) for options in self.options]

    @cached_property
    def tables(self) -> list[dict[int, StageTable]]:
        """For each stage, the table of each width."""
        return [
            {width: StageTable(costs, width, self.ceiling) for width in costs.widths()}
            for costs in self.costs
        ]

    @cached_property
    def downs(self) -> list[dict[Pair, Pair]]:
        """For each gap between two stages, what each pair of widths costs."""
        return [
            {
                (a, b): pair(downsample_cost(a, b, after.options.size, self.downsample))
                for a, b in itertools.product(before.widths(), after.widths())
            }
            for before, after in itertools.pairwise(self.costs)
        ]

    def first(self, width: int) -> Pair:
        """The counted cost of the stem before a first stage of this width."""
        positions = self.options[0].size.positions
        spent = stem_cost(self.image.channels, self.patch_size, width, positions)
        return self.ceiling.counted(pair(spent))

    def last(self, width: int) -> Pair:
        """The counted cost of the head after a last stage of this width."""
        return self.ceiling.counted(pair(head_cost(width, self.head.classes)))

    def link(self, gap: int, before: int, after: int) -> Pair:
        """The counted cost from one stage to the next."""
        return self.ceiling.counted(self.downs[gap][before, after])
