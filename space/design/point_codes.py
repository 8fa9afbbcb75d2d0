"""The architectures of a design space as rows of integers."""

import itertools
import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from space.architecture import Architecture, Stage
from space.design.design_space import DesignSpace
from space.design.stage_options import StageOptions
from space.errors import InputError

Ints = npt.NDArray[np.int64]


class StageCodes:
    """The codes of the stages that some options allow.

    A code is the number of the shape, then the number of the choice at each place of the pattern;
    places that the depth has no block for hold 0.
    """

    def __init__(self, options: StageOptions) -> None:
        self.options = options
        self.shapes = options.shapes()
        self.places = options.pattern_length(max(options.depths))
        self._numbers = {shape: number for number, shape in enumerate(self.shapes)}

    @cached_property
    def counts(self) -> Ints:
        """(shapes, places) numbers of choices; 1 where there is no place."""
        counts = np.ones((len(self.shapes), self.places), np.int64)
        for row, (width, depth, _) in enumerate(self.shapes):
            for place in range(self.options.pattern_length(depth)):
                counts[row, place] = len(self.options.choices(width, depth, place))
        return counts

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """(shapes,) numbers of distinct stages; they may exceed 64 bits."""
        return np.array(self.options.weights, np.float64)

    def encode(self, stage: Stage) -> list[int]:
        """The code of a stage.

        Raises:
            InputError: if the options do not allow it.
        """
        shape = self._numbers.get((stage.width, stage.depth, stage.mlp_ratio))
        if shape is None:
            raise InputError.of("", "has a width, depth or MLP ratio that is not in this space")
        code = [shape]
        for number in self.options.chosen_numbers(stage):
            if number is None:
                raise InputError.of("mixers", "has a mixer that is not in this space")
            code.append(number)
        return code + [0] * (1 + self.places - len(code))

    def decode(self, code: list[int]) -> Stage:
        """The stage of a code, before folding."""
        width, depth, ratio = self.shapes[code[0]]
        mixers = tuple(
            self.options.choices(width, depth, place)[code[1 + place]]
            for place in range(self.options.pattern_length(depth))
        )
        return Stage(depth, width, ratio, mixers)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, 1 + places) codes of stages, uniform over the distinct ones."""
        shapes = rng.choice(len(self.shapes), count, p=self.weights / self.weights.sum())
        choices = rng.integers(0, self.counts[shapes])
        return np.column_stack([shapes, choices])


class PointCodes:
    """The codes of a space.

    A row holds the number of the patch size, the number of the block type, and for each stage the
    number of its shape and of the choice at each place of its pattern.
    """

    def __init__(self, space: DesignSpace) -> None:
        self.space = space
        self.patch_sizes = list(space.stage_options)
        self.stages = [list(map(StageCodes, stages)) for stages in space.stage_options.values()]
        """Those of the stages, for each patch size."""
        self.shapes = [codes.shapes for codes in self.stages[0]]
        """The shapes of each stage, which do not depend on the patch size."""
        ends = itertools.accumulate((1 + codes.places for codes in self.stages[0]), initial=2)
        self.columns = [slice(first, last) for first, last in itertools.pairwise(ends)]
        """The columns of each stage."""
        self.width = self.columns[-1].stop

    @cached_property
    def counts(self) -> list[int]:
        """How many codes there are in each column."""
        counts = [len(self.patch_sizes), len(self.space.block_types)]
        for column in zip(*self.stages, strict=True):
            counts.append(len(column[0].shapes))
            counts += np.max([codes.counts.max(axis=0) for codes in column], axis=0).tolist()
        return counts

    def encode(self, architectures: Sequence[Architecture]) -> Ints:
        """(architectures, width) codes.

        Raises:
            InputError: for the first architecture that is not in the space before its limits.
        """
        rows = []
        for index, architecture in enumerate(architectures):
            try:
                rows.append(self._encode(architecture))
            except InputError as error:
                raise error.below(f"architectures[{index}]") from None
        return np.array(rows, np.int64).reshape(-1, self.width)

    def _encode(self, architecture: Architecture) -> list[int]:
        space = self.space
        same = (
            architecture.stem.patch_size in self.patch_sizes
            and architecture.block_type in space.block_types
            and len(architecture.stages) == len(self.columns)
            and not space.frame.problems(architecture)
        )
        if not same:
            raise InputError.of(
                "", "differs from this space in its input, stem, block_type, stages or head"
            )
        patch = self.patch_sizes.index(architecture.stem.patch_size)
        row = [patch, space.block_types.index(architecture.block_type)]
        for place, stage in enumerate(architecture.stages):
            try:
                row += self.stages[patch][place].encode(stage)
            except InputError as error:
                raise error.below(f"stages[{place}]") from None
        return row

    def decode(self, codes: Ints) -> list[Architecture]:
        """The architectures of (n, width) codes."""
        return [self._decode(row) for row in codes.tolist()]

    def _decode(self, row: list[int]) -> Architecture:
        space, patch = self.space, row[0]
        stages = tuple(
            codes.decode(row[columns])
            for codes, columns in zip(self.stages[patch], self.columns, strict=True)
        )
        return space.frame.architecture(self.patch_sizes[patch], space.block_types[row[1]], stages)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, width) codes, uniform over the distinct architectures before the limits."""
        codes = np.empty((count, self.width), np.int64)
        weights = np.array([math.prod(s.weights.sum() for s in column) for column in self.stages])
        codes[:, 0] = rng.choice(len(weights), count, p=weights / weights.sum())
        codes[:, 1] = rng.integers(0, len(self.space.block_types), count)
        for patch, stages in enumerate(self.stages):
            rows = np.flatnonzero(codes[:, 0] == patch)
            for stage, columns in zip(stages, self.columns, strict=True):
                codes[rows, columns] = stage.draw(rng, len(rows))
        return codes
