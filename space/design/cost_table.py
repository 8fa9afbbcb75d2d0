"""Costs of many architectures of a space at once, from tables of the pieces of its networks."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from space.cost.network_memory import map_bytes
from space.cost.piece_costs import COSTS, MEMORIES, PieceCosts, Vector
from space.design.design_space import DesignSpace
from space.design.point_codes import Ints, PointCodes, StageCodes
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


class CostTable(PointCodes):
    """The costs of a space's architectures, equal to `space.cost.cost` and `space.cost.memory`.

    Its limits play no part here.
    """

    def __init__(self, space: DesignSpace, batch_size: int = 1) -> None:
        """
        Args:
            space: the design space.
            batch_size: images in the batch whose memory is asked for.
        """
        super().__init__(space)
        self.batch_size = batch_size

    @cached_property
    def _macs(self) -> "_PieceTable":
        return _PieceTable(self, PieceCosts(self.space.frame, COSTS))

    @cached_property
    def _memories(self) -> "_PieceTable":
        return _PieceTable(self, PieceCosts(self.space.frame, MEMORIES, self.batch_size))

    def costs(self, codes: Ints) -> Costs:
        """Params and MACs of (n, columns) codes."""
        return Costs(*_in_chunks(self._costs_of, codes))

    def memory(self, codes: Ints) -> Memories:
        """Activation bytes of (n, columns) codes."""
        return Memories(*_in_chunks(self._memories_of, codes))

    def _costs_of(self, codes: Ints) -> Ints:
        table = self._macs
        total = table.stem.of(codes) + table.head.of(codes)
        for stage in range(len(self.columns)):
            for place in table.places[stage]:
                total += place.of(codes)
            if stage:
                total += table.downsamples[stage - 1].of(codes)
        return total

    def _memories_of(self, codes: Ints) -> Ints:
        """The same composition as `space.cost.memory`."""
        table, image = self._memories, self.space.input
        images = map_bytes(image.channels, MapSize(image.height, image.width), self.batch_size)
        head = table.head.of(codes)
        head[:, 1] += images
        total = _joined(table.stem.of(codes), head)
        held = np.full(len(codes), images)
        for stage in range(len(self.columns)):
            if stage:
                total = _joined(total, _holding(table.downsamples[stage - 1].of(codes), held))
                shapes = codes[:, self.columns[stage - 1].start]
                held += self._maps[stage - 1][codes[:, 0], shapes]
            for place in table.places[stage]:
                total = _joined(total, _holding(place.of(codes), held))
        return total

    @cached_property
    def _maps(self) -> list[Ints]:
        """Bytes of the map of each stage by (patch size, shape)."""
        return [
            np.array([self._map_bytes(codes) for codes in column])
            for column in zip(*self.stages, strict=True)
        ]

    def _map_bytes(self, codes: StageCodes) -> list[int]:
        size = codes.options.size
        return [map_bytes(width, size, self.batch_size) for width, _, _ in codes.shapes]


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


class _Piece:
    """The costs of one piece of the networks, a row for all that it may be.

    That may be much, so a row is computed when it is first asked for.
    """

    def __init__(
        self, codes: PointCodes, columns: Sequence[int], cost: Callable[..., Vector]
    ) -> None:
        """
        Args:
            codes: of the space.
            columns: those whose codes decide what the piece is.
            cost: the cost by these codes.
        """
        self._columns = list(columns)
        self._counts = tuple(codes.counts[column] for column in columns)
        self._cost = cost
        self._rows = np.zeros((math.prod(self._counts), 3), np.int64)
        self._known = np.zeros(len(self._rows), bool)

    def of(self, codes: Ints) -> Ints:
        """(n, 3) costs by (n, columns) codes."""
        rows = np.ravel_multi_index(tuple(codes.T[self._columns]), self._counts)
        known = self._known[rows]
        if not known.all():
            for row in np.unique(rows[~known]).tolist():
                self._rows[row] = self._cost(*map(int, np.unravel_index(row, self._counts)))
                self._known[row] = True
        found: Ints = self._rows.take(rows, axis=0)
        return found


class _PieceTable:
    """The pieces of the networks: stem, head, downsampling, and each stage place by place."""

    def __init__(self, codes: PointCodes, pieces: PieceCosts) -> None:
        self._codes = codes
        self._pieces = pieces
        stages, shapes = range(len(codes.columns)), [columns.start for columns in codes.columns]
        self.stem = _Piece(codes, (0, shapes[0]), self._stem)
        self.head = _Piece(codes, (0, shapes[-1]), self._head)
        self.downsamples = [
            _Piece(codes, (0, *shapes[stage : stage + 2]), partial(self._downsample, stage))
            for stage in stages[:-1]
        ]
        self.places = [
            [
                _Piece(codes, (0, 1, shapes[stage], column), partial(self._place, stage, place))
                for place, column in enumerate(range(shapes[stage] + 1, codes.columns[stage].stop))
            ]
            for stage in stages
        ]

    def _stem(self, patch: int, shape: int) -> Vector:
        width, _, _ = self._codes.shapes[0][shape]
        return self._pieces.stem(self._codes.patch_sizes[patch], width)

    def _head(self, patch: int, shape: int) -> Vector:
        width, _, _ = self._codes.shapes[-1][shape]
        return self._pieces.head(width, self._codes.stages[patch][-1].options.size)

    def _downsample(self, stage: int, patch: int, before: int, after: int) -> Vector:
        shapes, larger = self._codes.shapes, self._codes.stages[patch][stage].options.size
        return self._pieces.downsample(
            shapes[stage][before][0], shapes[stage + 1][after][0], larger
        )

    def _place(
        self, stage: int, place: int, patch: int, block_type: int, shape: int, choice: int
    ) -> Vector:
        options, types = self._codes.stages[patch][stage].options, self._codes.space.block_types
        width, depth, ratio = self._codes.shapes[stage][shape]
        step, hidden = options.pattern_length(depth), hidden_width(width, ratio)
        if place >= step:
            return 0, 0, 0  # the stage is too shallow for this place of the pattern
        mixer = options.choices(width, depth, place)[choice]
        around = (place, step, depth, width, hidden, options.size)
        return self._pieces.place((types[block_type], mixer, *around))
