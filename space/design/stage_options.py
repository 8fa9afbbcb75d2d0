"""What one stage of a design space may be, at the size of its map."""

import itertools
from dataclasses import dataclass
from functools import cached_property

from space.architecture import Stage, at_block
from space.canonical import canonical
from space.geometry import MapSize, width_problems
from space.mixer import Mixer


@dataclass(frozen=True)
class StageOptions:
    """The values that the fields of a stage may take.

    Attributes:
        size: the map of the stage.
        depths, widths, mlp_ratios: allowed values.
        pattern: how many mixers a pattern may have at most.
        mixers: the mixers of the space file, before folding.
    """

    size: MapSize
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    mlp_ratios: tuple[float, ...]
    pattern: int
    mixers: tuple[Mixer, ...]

    def pattern_length(self, depth: int) -> int:
        """Mixers to choose in a stage of this depth."""
        return min(self.pattern, depth)

    def choices(self, width: int, depth: int, place: int) -> tuple[Mixer, ...]:
        """The mixers that differ from each other at this width, depth and place of the pattern.

        Folding can make two lines of the file one, and heads or groups may not divide the width.
        """
        return self._choices[width, depth, place]

    @cached_property
    def _choices(self) -> dict[tuple[int, int, int], tuple[Mixer, ...]]:
        table = {}
        for width, depth in itertools.product(self.widths, self.depths):
            folded = [
                canonical(mixer, width, self.size)
                for mixer in self.mixers
                if not width_problems(mixer, width)
            ]
            length = self.pattern_length(depth)
            for place in range(length):
                blocks = range(place, depth, length)
                distinct = {tuple(at_block(m, block) for block in blocks): m for m in folded}
                table[width, depth, place] = tuple(distinct.values())
        return table

    def shapes(self) -> list[tuple[int, int, float]]:
        """The (width, depth, MLP ratio) triples that some mixer fits."""
        return [
            (width, depth, ratio)
            for width, depth, ratio in itertools.product(self.widths, self.depths, self.mlp_ratios)
            if self.choices(width, depth, 0)
        ]

    def patterns(self, width: int, depth: int) -> int:
        """Number of distinct patterns at this width and depth."""
        count = 1
        for place in range(self.pattern_length(depth)):
            count *= len(self.choices(width, depth, place))
        return count

    def count(self) -> int:
        """Number of distinct stages."""
        return sum(self.patterns(width, depth) for width, depth, _ in self.shapes())

    def chosen(self, stage: Stage, place: int) -> Mixer | None:
        """The choice that a stage took at a place of the pattern, if it is one of this space."""
        if stage.depth not in self.depths or stage.width not in self.widths:
            return None
        blocks = stage.block_mixers()
        length = self.pattern_length(stage.depth)
        for mixer in self.choices(stage.width, stage.depth, place):
            if all(
                at_block(mixer, block) == blocks[block]
                for block in range(place, stage.depth, length)
            ):
                return mixer
        return None
