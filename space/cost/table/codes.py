"""The architectures of a design space as rows of integers."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from space.architecture import Architecture
from space.cost.table.stage_codes import Ints, StageCodes
from space.errors import InputError, Problem, join

if TYPE_CHECKING:
    from space.design import DesignSpace


class Codes:
    """The codes of a space.

    A row holds the number of the patch size, the number of the scaffold, and for each stage the
    number of its shape and of the choice at each place of its pattern.
    """

    def __init__(self, space: "DesignSpace") -> None:
        self.space = space
        self.patch_sizes = list(space.stage_options)
        self.stages = [
            [StageCodes(options) for options in stages] for stages in space.stage_options.values()
        ]
        ends = itertools.accumulate((1 + codes.places for codes in self.stages[0]), initial=2)
        self.columns = [slice(first, last) for first, last in itertools.pairwise(ends)]
        """The columns of each stage."""
        self.width = self.columns[-1].stop

    def encode(self, architectures: Sequence[Architecture]) -> Ints:
        """(architectures, width) codes.

        Raises:
            InputError: for the first architecture that is not in the space before its limits.
        """
        rows = [self._encode(index, item) for index, item in enumerate(architectures)]
        return np.array(rows, np.int64).reshape(-1, self.width)

    def _encode(self, index: int, architecture: Architecture) -> list[int]:
        space, where = self.space, f"architectures[{index}]"
        same = (
            architecture.stem.patch_size in self.patch_sizes
            and architecture.scaffold in space.scaffolds
            and len(architecture.stages) == len(self.columns)
            and not space.frame.problems(architecture)
        )
        if not same:
            raise InputError.of(
                where, "differs from this space in its input, stem, scaffold, stages or head"
            )
        patch = self.patch_sizes.index(architecture.stem.patch_size)
        row = [patch, space.scaffolds.index(architecture.scaffold)]
        for place, stage in enumerate(architecture.stages):
            try:
                row += self.stages[patch][place].encode(stage)
            except InputError as error:
                path = f"{where}.stages[{place}]"
                raise InputError(
                    [Problem(join(path, p.where), p.message) for p in error.problems]
                ) from None
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
        return space.frame.architecture(self.patch_sizes[patch], space.scaffolds[row[1]], stages)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, width) codes, uniform over the distinct architectures before the limits."""
        codes = np.empty((count, self.width), np.int64)
        weights = np.array([math.prod(s.weights.sum() for s in column) for column in self.stages])
        codes[:, 0] = rng.choice(len(weights), count, p=weights / weights.sum())
        codes[:, 1] = rng.integers(0, len(self.space.scaffolds), count)
        for patch, stages in enumerate(self.stages):
            rows = np.flatnonzero(codes[:, 0] == patch)
            for stage, columns in zip(stages, self.columns, strict=True):
                codes[rows, columns] = stage.draw(rng, len(rows))
        return codes
