"""What one stage of a design space may be, at the size of its map."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from space.architecture import Stage, at_block
from space.canonical import canonical
from space.design.mixer_questions import Remaining
from space.geometry import MapSize, is_whole, width_problems
from space.mixer import Mixer

Keep = Callable[[Mixer], bool]
Shape = tuple[int, int, float]
"""Width, depth and MLP ratio of a stage."""


@dataclass(frozen=True)
class StageOptions:
    """The values that the fields of a stage may take.

    Attributes:
        size: the map of the stage.
        depths, widths, mlp_ratios: allowed values.
        pattern: how many mixers a pattern may have at most.
        mixers: the mixers of the space file, before folding.
        keep: a condition on the folded mixers; what does not fulfil it is left out.
    """

    size: MapSize
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    mlp_ratios: tuple[float, ...]
    pattern: int
    mixers: tuple[Mixer, ...]
    keep: Keep | None = None

    def kept(self, keep: Keep | None) -> "StageOptions":
        """The part of these options whose mixers all fulfil a condition."""
        return self if keep is None else replace(self, keep=keep)

    def pattern_length(self, depth: int) -> int:
        """Mixers to choose in a stage of this depth."""
        return min(self.pattern, depth)

    def choices(self, width: int, depth: int, place: int) -> tuple[Mixer, ...]:
        """The mixers that differ from each other at this width, depth and place of the pattern.

        Folding can make two lines of the file one, and heads or groups may not divide the width.
        """
        return self._choices[width, depth, place]

    def questions(self, width: int, depth: int, place: int) -> Remaining:
        """The questions whose answers lead to one of the choices."""
        return self._questions[width, depth, place]

    @cached_property
    def _choices(self) -> dict[tuple[int, int, int], tuple[Mixer, ...]]:
        return {key: tuple(choices.values()) for key, choices in self._by_blocks.items()}

    @cached_property
    def _questions(self) -> dict[tuple[int, int, int], Remaining]:
        return {key: Remaining(choices) for key, choices in self._choices.items()}

    @cached_property
    def _by_blocks(self) -> dict[tuple[int, int, int], dict[tuple[Mixer, ...], Mixer]]:
        """For each width, depth and place: what the blocks there hold, and the choice it is."""
        table = {}
        for width in self.widths:
            folded = self._folded(width)
            for depth in self.depths:
                length = self.pattern_length(depth)
                for place in range(length):
                    blocks = range(place, depth, length)
                    distinct = {tuple(at_block(m, block) for block in blocks): m for m in folded}
                    table[width, depth, place] = distinct
        return table

    def _folded(self, width: int) -> list[Mixer]:
        fitting = (mixer for mixer in self.mixers if not width_problems(mixer, width))
        folded = (canonical(mixer, width, self.size) for mixer in fitting)
        return [mixer for mixer in folded if self.keep is None or self.keep(mixer)]

    def shapes(self) -> list[Shape]:
        """The (width, depth, MLP ratio) triples that some mixer fits.

        A ratio fits the widths at which the MLP has a whole number of channels.
        """
        return list(self._shapes)

    @cached_property
    def _shapes(self) -> tuple[Shape, ...]:
        return tuple(
            (width, depth, ratio)
            for width, depth, ratio in itertools.product(self.widths, self.depths, self.mlp_ratios)
            if self.choices(width, depth, 0) and is_whole(width * ratio)
        )

    def patterns(self, width: int, depth: int) -> int:
        """Number of distinct patterns at this width and depth."""
        count = 1
        for place in range(self.pattern_length(depth)):
            count *= len(self.choices(width, depth, place))
        return count

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """Number of distinct stages of each of the shapes."""
        return tuple(self.patterns(width, depth) for width, depth, _ in self._shapes)

    def count(self) -> int:
        """Number of distinct stages."""
        return sum(self.weights)

    def chosen(self, stage: Stage, place: int) -> Mixer | None:
        """The choice that a stage took at a place of the pattern, if it is one of this space."""
        choices = self._by_blocks.get((stage.width, stage.depth, place), {})
        return choices.get(stage.block_mixers()[place :: self.pattern_length(stage.depth)])
