"""What one stage of a design space may be, at the size of its map, and uniform draws of it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from space.architecture import Stage, at_block
from space.canonical import canonical
from space.geometry import MapSize, is_whole, width_problems
from space.mixer import Mixer

Item = TypeVar("Item")
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
        return self._choices[width, depth, place][0]

    def chosen(self, stage: Stage, place: int) -> Mixer | None:
        """The choice that a stage took at a place of the pattern, if it is one of this space."""
        key = stage.width, stage.depth, place
        if key not in self._choices:
            return None
        choices, numbers = self._choices[key]
        number = numbers.get(stage.block_mixers()[place :: self.pattern_length(stage.depth)])
        return None if number is None else choices[number]

    def chosen_numbers(self, stage: Stage) -> list[int | None]:
        """Which of the choices a stage took, for each place; None for one of another space.

        Raises:
            KeyError: for a width or depth that these options do not have.
        """
        length, held = self.pattern_length(stage.depth), stage.block_mixers()
        tables = (self._choices[stage.width, stage.depth, place][1] for place in range(length))
        return [numbers.get(held[place::length]) for place, numbers in enumerate(tables)]

    @cached_property
    def _choices(
        self,
    ) -> dict[tuple[int, int, int], tuple[tuple[Mixer, ...], dict[tuple[Mixer, ...], int]]]:
        """For each width, depth and place: the choices, and their numbers by the blocks' mixers."""
        table = {}
        for width in self.widths:
            folded = self._folded(width)
            for depth in self.depths:
                length = self.pattern_length(depth)
                for place in range(length):
                    blocks = range(place, depth, length)
                    distinct = {tuple(at_block(m, block) for block in blocks): m for m in folded}
                    numbers = {held: number for number, held in enumerate(distinct)}
                    table[width, depth, place] = tuple(distinct.values()), numbers
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

    def sample(self, rng: np.random.Generator) -> Stage:
        """A stage drawn uniformly among the distinct ones, of which there is at least one."""
        width, depth, ratio = pick(rng, self._shapes, self.weights)
        places = (self.choices(width, depth, p) for p in range(self.pattern_length(depth)))
        return Stage(depth, width, ratio, tuple(kept[rng.integers(len(kept))] for kept in places))


def pick(rng: np.random.Generator, items: Sequence[Item], weights: Sequence[int]) -> Item:
    """One of the items, drawn with probability in proportion to its integer weight."""
    # Counts can exceed 64 bits, and floats lose what is rare: draw in exact integers.
    total = sum(weights)
    bits = total.bit_length() + 64
    ticket = int.from_bytes(rng.bytes(-(-bits // 8))) % total
    for item, weight in zip(items, weights, strict=True):
        if ticket < weight:
            return item
        ticket -= weight
    raise AssertionError("the ticket is below the sum of the weights")
