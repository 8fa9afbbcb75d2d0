"""All stages of one width of a space as a table of costs, and the way back from a cost to a stage.

Everything comes from `space.cost`: a stage costs the sum of its blocks.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from space.architecture import BlockType, Stage
from space.cost.piece_costs import PieceCosts, Vector
from space.design.feasible.cost_sums import Ints, Sums, added, joined, merged, minus, of_vectors
from space.design.hard_limits import Limits
from space.design.stage_options import Shape, StageOptions, pick
from space.geometry import hidden_width

Allowed = tuple[tuple[int, ...], ...]
"""For each place of a pattern, the numbers of the choices that may be there."""


@dataclass(frozen=True)
class StageCosts:
    """The costs of one stage of a space in one block type: by shape, by mixer at its place.

    Attributes:
        options: what the stage may be.
        block_type: the residual block around the mixers.
        sums: reads the quantities that add up.
        peak: reads the one that does not.
    """

    options: StageOptions
    block_type: BlockType
    sums: PieceCosts
    peak: PieceCosts
    _known: dict[tuple[PieceCosts, Shape, int], list[Vector]] = field(
        default_factory=dict, init=False, compare=False
    )

    def widths(self) -> list[int]:
        """The widths that some mixer fits."""
        return list(dict.fromkeys(width for width, _, _ in self.options.shapes()))

    def shapes(self, width: int) -> list[Shape]:
        """The shapes of this width."""
        return [shape for shape in self.options.shapes() if shape[0] == width]

    def shape(self, shape: Shape) -> Vector:
        """What this MLP ratio costs more than the least one of its width, over all blocks."""
        width, depth, ratio = shape
        more = minus(self._one_block(width, ratio), self._one_block(width, self._least[width]))
        return tuple(depth * each for each in more)

    def place(self, width: int, depth: int, place: int) -> list[Vector]:
        """For each choice at a place of the pattern, the cost of all blocks that it fills.

        With the least MLP ratio of the width.
        """
        return self.of_choices(self.sums, (width, depth, self._least[width]), place)

    def allowed(self, width: int, room: int | None) -> tuple[Allowed, ...]:
        """For each shape of a width, the choices whose blocks need no more bytes than `room`.

        Blocks come one after the other, so that the choices at two places do not depend on each
        other. None is no limit.
        """
        return tuple(self._allowed(shape, room) for shape in self.shapes(width))

    def _allowed(self, shape: Shape, room: int | None) -> Allowed:
        width, depth, _ = shape
        places = range(self.options.pattern_length(depth))
        if room is None:
            return tuple(tuple(range(len(self.options.choices(width, depth, p)))) for p in places)
        peaks = [self.of_choices(self.peak, shape, place) for place in places]
        return tuple(
            tuple(number for number, (peak,) in enumerate(of_place) if peak <= room)
            for of_place in peaks
        )

    def of_choices(self, reader: PieceCosts, shape: Shape, place: int) -> list[Vector]:
        """For each choice at a place, what a reader says of all blocks that it fills."""
        key = reader, shape, place
        if key not in self._known:
            width, depth, ratio = shape
            length, hidden = self.options.pattern_length(depth), hidden_width(width, ratio)
            around = (place, length, depth, width, hidden, self.options.size)
            self._known[key] = [
                reader.place((self.block_type, mixer, *around))
                for mixer in self.options.choices(width, depth, place)
            ]
        return self._known[key]

    def _one_block(self, width: int, ratio: float) -> Vector:
        """A block with one and the same mixer."""
        _, depth, _ = self.shapes(width)[0]
        mixer = self.options.choices(width, depth, 0)[0]
        hidden = hidden_width(width, ratio)
        return self.sums.place((self.block_type, mixer, 0, 1, 1, width, hidden, self.options.size))

    @cached_property
    def _least(self) -> dict[int, float]:
        """The least MLP ratio of each width."""
        return {width: self.shapes(width)[0][2] for width in self.widths()}


@dataclass(frozen=True)
class Patterns:
    """The patterns of one width and depth.

    Attributes:
        costs: where the costs come from.
        width, depth: the shape, without the MLP ratio.
        limits: the hard limits; sums beyond are left out.
        allowed: the choices that may be at each place.
    """

    costs: StageCosts
    width: int
    depth: int
    limits: Limits
    allowed: Allowed

    @cached_property
    def places(self) -> list[list[Vector]]:
        """The cost of each allowed choice at each place of the pattern."""
        places = []
        for place, numbers in enumerate(self.allowed):
            spent = self.costs.place(self.width, self.depth, place)
            places.append([self.limits.clipped(spent[number]) for number in numbers])
        return places

    @cached_property
    def prefixes(self) -> list[Sums]:
        """The sums over the first places: none of them, one, two, up to all."""
        bounds = self.limits.bounds
        sums = [of_vectors([(0,) * len(bounds)], len(bounds))]
        for place in self.places:
            longer = added(sums[-1], of_vectors(place, len(bounds)), bounds)
            sums.append(merged([longer], len(bounds)))
        return sums

    @cached_property
    def _ways(self) -> list[dict[Vector, int]]:
        return [
            dict(zip(sums.vectors(), sums.ways.tolist(), strict=True))
            for sums in self.prefixes[:-1]
        ]

    def draw(self, spent: Vector, rng: np.random.Generator) -> list[int]:
        """One of the patterns of a cost, uniformly: the number of the choice at each place."""
        chosen: list[int] = []
        for place in reversed(range(len(self.places))):
            rests = [minus(spent, cost) for cost in self.places[place]]
            ways = [self._ways[place].get(rest, 0) for rest in rests]
            here = pick(rng, range(len(rests)), ways)
            chosen.append(self.allowed[place][here])
            spent = rests[here]
        return chosen[::-1]


class StageTable:
    """The stages of one width of a space, as sums of costs.

    Attributes:
        sums: a row for every distinct cost of a shape, with the number of its patterns.
        origin: for each row, the number of the shape in `shapes`.
    """

    def __init__(
        self, costs: StageCosts, width: int, allowed: tuple[Allowed, ...], limits: Limits
    ) -> None:
        """The table of the stages of a width, with the choices that are allowed for each shape."""
        self.shapes: list[Shape] = costs.shapes(width)
        self.allowed = allowed
        self._costs = costs
        self._limits = limits
        keys = [(shape[1], ok) for shape, ok in zip(self.shapes, allowed, strict=True)]
        made = {key: Patterns(costs, width, key[0], limits, key[1]) for key in dict.fromkeys(keys)}
        self._patterns = [made[key] for key in keys]

    def count(self) -> int:
        """Number of the stages, whatever they cost."""
        return sum(math.prod(map(len, allowed)) for allowed in self.allowed)

    @cached_property
    def _parts(self) -> list[Sums]:
        # The first ratio is the least one, so that nothing is added below zero.
        return [
            patterns.prefixes[-1].moved(self._more(shape)).within(self._limits.bounds)
            for shape, patterns in zip(self.shapes, self._patterns, strict=True)
        ]

    @cached_property
    def sums(self) -> Sums:
        """The sums of costs that stages of any shape have within the limits, a row each."""
        return joined(self._parts, len(self._limits.bounds))

    @cached_property
    def origin(self) -> Ints:
        """For each row the number of its shape."""
        return np.repeat(np.arange(len(self._parts)), [len(part) for part in self._parts])

    def _more(self, shape: Shape) -> Vector:
        return self._limits.clipped(self._costs.shape(shape))

    def draw(self, row: int, rng: np.random.Generator) -> Stage:
        """A stage with the cost of a row, uniformly among those."""
        number = int(self.origin[row])
        width, depth, ratio = shape = self.shapes[number]
        spent: Vector = tuple(self.sums.costs[:, row].tolist())
        chosen = self._patterns[number].draw(minus(spent, self._more(shape)), rng)
        choices = self._costs.options.choices
        mixers = (choices(width, depth, place)[choice] for place, choice in enumerate(chosen))
        return Stage(depth, width, ratio, tuple(mixers))
