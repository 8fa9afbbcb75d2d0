"""Costs of many architectures of a space at once, from tables of the pieces of its networks."""

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from space.architecture import Architecture
from space.cost.network_memory import map_bytes
from space.cost.piece_costs import PieceCosts, PieceMacs, PieceMemory, Vector
from space.design.design_space import DesignSpace
from space.design.point_codes import Ints, PointCodes, StageCodes
from space.design.stage_options import Shape
from space.geometry import MapSize, hidden_width

CHUNK = 1 << 14
"""Rows at a time, so that what is in work stays in the cache of a core."""


class Costs(NamedTuple):
    """(n,) arrays of the fields of `space.Cost`."""

    params: Ints
    macs: Ints
    unseen_macs: Ints


class Memories(NamedTuple):
    """(n,) arrays of the fields of `space.cost.Memory`, in bytes."""

    training_bytes: Ints
    inference_bytes: Ints
    moved_bytes: Ints


@dataclass(frozen=True)
class CostTable:
    """The costs of a space's architectures, equal to `space.cost.cost` and `space.cost.memory`.

    Attributes:
        space: the design space; its limits play no part here.
        batch_size: images in the batch whose memory is asked for.
    """

    space: DesignSpace
    batch_size: int = 1

    @cached_property
    def _codes(self) -> PointCodes:
        return PointCodes(self.space)

    @cached_property
    def _macs(self) -> "_PieceTable":
        return _PieceTable(self._codes, PieceMacs(self.space.frame))

    @cached_property
    def _memories(self) -> "_PieceTable":
        return _PieceTable(self._codes, PieceMemory(self.space.frame, self.batch_size))

    def encode(self, architectures: Sequence[Architecture]) -> Ints:
        """(n, columns) codes of architectures of the space.

        Raises:
            InputError: for an architecture that is not in the space, limits aside.
        """
        return self._codes.encode(architectures)

    def decode(self, codes: Ints) -> list[Architecture]:
        """The architectures of (n, columns) codes."""
        return self._codes.decode(codes)

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """(count, columns) codes, uniform over the distinct architectures before the limits."""
        return self._codes.draw(rng, count)

    def costs(self, codes: Ints) -> Costs:
        """Params and MACs of (n, columns) codes."""
        return Costs(*_in_chunks(self._costs_of, codes))

    def memory(self, codes: Ints) -> Memories:
        """Activation bytes of (n, columns) codes."""
        return Memories(*_in_chunks(self._memories_of, codes))

    def _costs_of(self, codes: Ints) -> Ints:
        table = self._macs
        total = table.stem(codes) + table.head(codes)
        for stage in range(len(self._codes.columns)):
            for place in table.places(codes, stage):
                total += place
            if stage:
                total += table.downsample(codes, stage)
        return total

    def _memories_of(self, codes: Ints) -> Ints:
        """The same composition as `space.cost.memory`."""
        table, image = self._memories, self.space.input
        images = map_bytes(image.channels, MapSize(image.height, image.width), self.batch_size)
        head = table.head(codes)
        head[:, 1] += images
        total = _joined(table.stem(codes), head)
        held = np.full(len(codes), images)
        for stage in range(len(self._codes.columns)):
            if stage:
                total = _joined(total, _holding(table.downsample(codes, stage), held))
                held += self._map_bytes(codes, stage - 1)
            for place in table.places(codes, stage):
                total = _joined(total, _holding(place, held))
        return total

    def _map_bytes(self, codes: Ints, stage: int) -> Ints:
        return self._maps[stage][codes[:, 0], codes[:, self._codes.columns[stage].start]]

    @cached_property
    def _maps(self) -> list[Ints]:
        """Bytes of the map of each stage by (patch size, shape)."""
        columns = list(zip(*self._codes.stages, strict=True))
        return [_by_shape(column, self._bytes_of(column))[:, :, 0] for column in columns]

    def _bytes_of(self, column: Sequence[StageCodes]) -> Callable[[int, int], Vector]:
        return lambda p, width: (map_bytes(width, column[p].options.size, self.batch_size),)


def _holding(piece: Ints, held: Ints) -> Ints:
    """A piece while the network holds other maps."""
    piece[:, 1] += held
    return piece


def _joined(total: Ints, piece: Ints) -> Ints:
    """Pieces one after the other: bytes add up, but for the peak."""
    peak = np.maximum(total[:, 1], piece[:, 1])
    total += piece
    total[:, 1] = peak
    return total


def _in_chunks(costs_of: Callable[[Ints], Ints], codes: Ints) -> Iterator[Ints]:
    found = np.empty((3, len(codes)), np.int64)
    for start in range(0, len(codes), CHUNK):
        rows = slice(start, start + CHUNK)
        found[:, rows] = costs_of(codes[rows]).T
    return iter(found)


class _PieceTable:
    """(n, 3) costs of stems, stages, downsampling layers and heads by their (n, columns) codes."""

    def __init__(self, codes: PointCodes, pieces: PieceCosts) -> None:
        self._columns = codes.columns
        columns = list(zip(*codes.stages, strict=True))
        sizes = [stage.options.size for stage in columns[-1]]
        self._stems = _by_shape(columns[0], lambda p, w: pieces.stem(codes.patch_sizes[p], w))
        self._heads = _by_shape(columns[-1], lambda p, width: pieces.head(width, sizes[p]))
        self._downs = [_between(*pair, pieces) for pair in itertools.pairwise(columns)]
        self._places = _PlaceRows(codes, pieces)

    def stem(self, codes: Ints) -> Ints:
        return self._stems[codes[:, 0], codes[:, self._columns[0].start]]

    def head(self, codes: Ints) -> Ints:
        return self._heads[codes[:, 0], codes[:, self._columns[-1].start]]

    def downsample(self, codes: Ints, stage: int) -> Ints:
        """Costs of the step to a stage."""
        before, after = self._columns[stage - 1].start, self._columns[stage].start
        return self._downs[stage - 1][codes[:, 0], codes[:, before], codes[:, after]]

    def places(self, codes: Ints, stage: int) -> list[Ints]:
        """Costs of a stage, for each place of its pattern."""
        return self._places.costs(codes, stage)


def _by_shape(column: Sequence[StageCodes], value: Callable[[int, int], Vector]) -> Ints:
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


def _between(before: Sequence[StageCodes], after: Sequence[StageCodes], pieces: PieceCosts) -> Ints:
    """(patch sizes, shapes before, shapes after, 3) costs of a downsampling layer."""
    narrow = max(len(codes.shapes) for codes in before)
    wide = max(len(codes.shapes) for codes in after)
    table = np.zeros((len(before), narrow, wide, 3), np.int64)
    for patch, (one, other) in enumerate(zip(before, after, strict=True)):
        for row, (width, _, _) in enumerate(one.shapes):
            for column, (outputs, _, _) in enumerate(other.shapes):
                table[patch, row, column] = pieces.downsample(width, outputs, one.options.size)
    return table


class _PlaceRows:
    """A row for every mixer at a place of a stage of some shape in some block type.

    There may be many, so a row is computed when it is first used. Row 0 costs nothing: a stage
    that is too shallow for a place of the pattern has it there.
    """

    def __init__(self, codes: PointCodes, pieces: PieceCosts) -> None:
        self._codes = codes
        self._pieces = pieces
        self._length = 1
        self._starts: list[int] = []
        self._segments: list[tuple[int, int, int, Shape, int]] = []
        self._first_rows = [self._lay_out(stage) for stage in range(len(codes.columns))]
        self._rows = np.zeros((self._length, 3), np.int64)
        self._known = np.zeros(self._length, bool)
        self._known[0] = True

    def _lay_out(self, stage: int) -> Ints:
        """The first row of each (patch size, block type, shape, place)."""
        column = [stages[stage] for stages in self._codes.stages]
        most, places = max(len(codes.shapes) for codes in column), column[0].places
        block_types = len(self._codes.space.block_types)
        first = np.zeros((len(column), block_types, most, places), np.int64)
        for patch, block_type, number, place in np.ndindex(*first.shape):
            codes = column[patch]
            shape = codes.shapes[number] if number < len(codes.shapes) else None
            if shape is None or place >= codes.options.pattern_length(shape[1]):
                continue
            first[patch, block_type, number, place] = self._length
            self._starts.append(self._length)
            self._segments.append((stage, patch, block_type, shape, place))
            self._length += len(codes.options.choices(shape[0], shape[1], place))
        return first

    def costs(self, codes: Ints, stage: int) -> list[Ints]:
        """(n, 3) costs of a stage of (n, columns) codes, for each place of its pattern."""
        own = codes[:, self._codes.columns[stage]]
        first = self._first_rows[stage][codes[:, 0], codes[:, 1], own[:, 0]]
        return [self._looked_up(first[:, p] + own[:, 1 + p]) for p in range(first.shape[1])]

    def _looked_up(self, rows: Ints) -> Ints:
        known = self._known[rows]
        if not known.all():
            for row in np.unique(rows[~known]).tolist():
                self._rows[row] = self._cost(row)
                self._known[row] = True
        found: Ints = self._rows.take(rows, axis=0)
        return found

    def _cost(self, row: int) -> Vector:
        segment = bisect.bisect_right(self._starts, row) - 1
        stage, patch, block_type, (width, depth, ratio), place = self._segments[segment]
        options = self._codes.stages[patch][stage].options
        mixer = options.choices(width, depth, place)[row - self._starts[segment]]
        step, name = options.pattern_length(depth), self._codes.space.block_types[block_type]
        hidden = hidden_width(width, ratio)
        return self._pieces.place((name, mixer, place, step, depth, width, hidden, options.size))
