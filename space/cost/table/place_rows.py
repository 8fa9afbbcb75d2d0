"""Costs of the mixers at the places of the stages of a space, filled where they are asked."""

import bisect

import numpy as np

from space.cost.table.codes import Codes
from space.cost.table.prices import Blocks, Prices
from space.cost.table.stage_codes import Ints, Shape


class PlaceRows:
    """A row for every mixer at a place of a stage of some shape in some scaffold.

    There may be many, so a row is computed when it is first used. Row 0 costs nothing: a stage
    that is too shallow for a place of the pattern has it there.
    """

    def __init__(self, codes: Codes, prices: Prices) -> None:
        self._codes = codes
        self._prices = prices
        self._length = 1
        self._starts: list[int] = []
        self._segments: list[tuple[int, int, int, Shape, int]] = []
        self._first_rows = [self._lay_out(stage) for stage in range(len(codes.columns))]
        self._rows = np.zeros((self._length, 3), np.int64)
        self._known = np.zeros(self._length, bool)
        self._known[0] = True

    def _lay_out(self, stage: int) -> Ints:
        """The first row of each (patch size, scaffold, shape, place)."""
        column = [stages[stage] for stages in self._codes.stages]
        most, places = max(len(codes.shapes) for codes in column), column[0].places
        scaffolds = len(self._codes.space.scaffolds)
        first = np.zeros((len(column), scaffolds, most, places), np.int64)
        for patch, scaffold, number, place in np.ndindex(*first.shape):
            codes = column[patch]
            shape = codes.shapes[number] if number < len(codes.shapes) else None
            if shape is None or place >= codes.pattern_length(shape):
                continue
            first[patch, scaffold, number, place] = self._length
            self._starts.append(self._length)
            self._segments.append((stage, patch, scaffold, shape, place))
            self._length += len(codes.choices(shape, place))
        return first

    def _blocks(self, row: int) -> Blocks:
        segment = bisect.bisect_right(self._starts, row) - 1
        stage, patch, scaffold, shape, place = self._segments[segment]
        codes = self._codes.stages[patch][stage]
        mixer = codes.choices(shape, place)[row - self._starts[segment]]
        width, depth, ratio = shape
        name, step = self._codes.space.scaffolds[scaffold], codes.pattern_length(shape)
        return name, mixer, place, step, depth, width, round(width * ratio), codes.size

    def costs(self, codes: Ints, stage: int) -> list[Ints]:
        """(n, 3) costs of a stage of (n, columns) codes, for each place of its pattern."""
        own = codes[:, self._codes.columns[stage]]
        first = self._first_rows[stage][codes[:, 0], codes[:, 1], own[:, 0]]
        return [self._looked_up(first[:, p] + own[:, 1 + p]) for p in range(first.shape[1])]

    def _looked_up(self, rows: Ints) -> Ints:
        known = self._known[rows]
        if not known.all():
            for row in np.unique(rows[~known]).tolist():
                self._rows[row] = self._prices.place(self._blocks(row))
                self._known[row] = True
        found: Ints = self._rows.take(rows, axis=0)
        return found
