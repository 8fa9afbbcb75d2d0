"""Tables of the costs of the pieces of a space's networks."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from space.cost.table.codes import Codes
from space.cost.table.place_rows import PlaceRows
from space.cost.table.prices import Prices, Triple
from space.cost.table.stage_codes import Ints, StageCodes


def by_shape(
    column: Sequence[StageCodes], value: Callable[[int, int], Triple | tuple[int]]
) -> Ints:
    """(patch sizes, shapes, values) table of what depends on patch size and width of a stage.

    Args:
        column: the codes of one stage, for each patch size.
        value: from the number of the patch size and the width.
    """
    shapes, values = max(len(codes.shapes) for codes in column), len(value(0, 1))
    table = np.zeros((len(column), shapes, values), np.int64)
    for patch, codes in enumerate(column):
        known = {width: value(patch, width) for width in {shape[0] for shape in codes.shapes}}
        for number, shape in enumerate(codes.shapes):
            table[patch, number] = known[shape[0]]
    return table


class PieceTable:
    """Costs of stems, stages, downsampling layers and heads by their codes."""

    def __init__(self, codes: Codes, prices: Prices) -> None:
        self._columns = codes.columns
        self._places = PlaceRows(codes, prices)
        columns = list(zip(*codes.stages, strict=True))
        first, last = columns[0], columns[-1]
        self._stems = by_shape(first, lambda p, width: prices.stem(codes.patch_sizes[p], width))
        self._heads = by_shape(last, lambda p, width: prices.head(width, last[p].size))
        self._downs = [
            _between(before, after, prices) for before, after in itertools.pairwise(columns)
        ]

    def stem(self, codes: Ints) -> Ints:
        """(n, 3) costs of the stems."""
        return self._stems[codes[:, 0], codes[:, self._columns[0].start]]

    def head(self, codes: Ints) -> Ints:
        """(n, 3) costs of the heads."""
        return self._heads[codes[:, 0], codes[:, self._columns[-1].start]]

    def downsample(self, codes: Ints, stage: int) -> Ints:
        """(n, 3) costs of the step to a stage."""
        before, after = self._columns[stage - 1].start, self._columns[stage].start
        return self._downs[stage - 1][codes[:, 0], codes[:, before], codes[:, after]]

    def places(self, codes: Ints, stage: int) -> list[Ints]:
        """(n, 3) costs of a stage, for each place of its pattern."""
        return self._places.costs(codes, stage)


def _between(before: Sequence[StageCodes], after: Sequence[StageCodes], prices: Prices) -> Ints:
    """(patch sizes, shapes before, shapes after, 3) costs of a downsampling layer."""
    narrow = max(len(codes.shapes) for codes in before)
    wide = max(len(codes.shapes) for codes in after)
    table = np.zeros((len(before), narrow, wide, 3), np.int64)
    for patch, (one, other) in enumerate(zip(before, after, strict=True)):
        for row, (width, _, _) in enumerate(one.shapes):
            for column, (outputs, _, _) in enumerate(other.shapes):
                table[patch, row, column] = prices.downsample(width, outputs, one.size)
    return table
