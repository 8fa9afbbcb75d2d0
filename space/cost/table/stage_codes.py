"""A stage of a design space as a few small numbers: its shape, and a choice a place."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from space.architecture import Stage, at_block
from space.errors import InputError
from space.mixer import Mixer

if TYPE_CHECKING:
    from space.design.stage_options import StageOptions

Ints = NDArray[np.int64]
Shape = tuple[int, int, float]
"""Width, depth and MLP ratio."""


class StageCodes:
    """The codes of the stages that some options allow.

    A code is the number of the shape, then the number of the choice at each place of the pattern;
    places that the depth has no block for hold 0.
    """

    def __init__(self, options: "StageOptions") -> None:
        self.options = options
        self.size = options.size
        self.shapes: list[Shape] = options.shapes()
        self.places = options.pattern_length(max(options.depths))

    def pattern_length(self, shape: Shape) -> int:
        """Places to choose for in a stage of this shape."""
        return self.options.pattern_length(shape[1])

    def choices(self, shape: Shape, place: int) -> tuple[Mixer, ...]:
        """The mixers for a place, in the order of their numbers."""
        return self.options.choices(shape[0], shape[1], place)

    @cached_property
    def counts(self) -> Ints:
        """(shapes, places) numbers of choices; 1 where there is no place."""
        counts = np.ones((len(self.shapes), self.places), np.int64)
        for row, shape in enumerate(self.shapes):
            for place in range(self.pattern_length(shape)):
                counts[row, place] = len(self.choices(shape, place))
        return counts

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """(shapes,) numbers of distinct stages; they may exceed 64 bits."""
        weights: NDArray[np.float64] = self.counts.prod(1, dtype=np.float64)
        return weights

    @cached_property
    def _shape_numbers(self) -> dict[Shape, int]:
        return {shape: number for number, shape in enumerate(self.shapes)}

    @cached_property
    def _choice_numbers(self) -> dict[tuple[int, int, int], dict[tuple[Mixer, ...], int]]:
        """(width, depth, place) to the number of the choice that gives the blocks their mixers."""
        numbers = {}
        for shape in self.shapes:
            width, depth, _ = shape
            step = self.pattern_length(shape)
            for place in range(step):
                blocks = range(place, depth, step)
                numbers[width, depth, place] = {
                    tuple(at_block(mixer, block) for block in blocks): number
                    for number, mixer in enumerate(self.choices(shape, place))
                }
        return numbers

    def encode(self, stage: Stage) -> list[int]:
        """The code of a stage.

        Raises:
            InputError: if the options do not allow it.
        """
        shape = (stage.width, stage.depth, stage.mlp_ratio)
        number = self._shape_numbers.get(shape)
        if number is None:
            raise InputError.of("", "has a width, depth or MLP ratio that is not in this space")
        blocks, step = stage.block_mixers(), self.pattern_length(shape)
        code = [number]
        for place in range(step):
            choices = self._choice_numbers[stage.width, stage.depth, place]
            choice = choices.get(blocks[place::step])
            if choice is None:
                raise InputError.of("mixers", "has a mixer that is not in this space")
            code.append(choice)
        return code + [0] * (self.places - step)

    def decode(self, code: list[int]) -> Stage:
        """The stage of a code, before folding."""
        shape = self.shapes[code[0]]
        width, depth, ratio = shape
        mixers = tuple(
            self.choices(shape, place)[code[1 + place]]
            for place in range(self.pattern_length(shape))
        )
        return Stage(depth, width, ratio, mixers)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, 1 + places) codes of stages, uniform over the distinct ones."""
        shapes = rng.choice(len(self.shapes), count, p=self.weights / self.weights.sum())
        choices = rng.integers(0, self.counts[shapes])
        return np.column_stack([shapes, choices])
