"""All stages of one width as a table of costs, and the way back from a cost to a stage."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from space.architecture import Stage
from space.design.ceiling import Ceiling
from space.design.sampling import pick
from space.design.stage_costs import Allowed, StageCosts
from space.design.stage_options import Shape
from space.design.sums import Ints, Sums, Vector, added, joined, merged, minus, of_vectors


@dataclass(frozen=True)
class Patterns:
    """The patterns of one width and depth.

    Attributes:
        costs: where the costs come from.
        width, depth: the shape, without the MLP ratio.
        ceiling: the hard limits; sums beyond are left out.
        allowed: the choices that may be at each place.
    """

    costs: StageCosts
    width: int
    depth: int
    ceiling: Ceiling
    allowed: Allowed

    @cached_property
    def places(self) -> list[list[Vector]]:
        """The cost of each allowed choice at each place of the pattern."""
        places = []
        for place, numbers in enumerate(self.allowed):
            spent = self.costs.place(self.width, self.depth, place)
            places.append([self.ceiling.counted(spent[number]) for number in numbers])
        return places

    @cached_property
    def prefixes(self) -> list[Sums]:
        """The sums over the first places: none of them, one, two, up to all."""
        limits, quantities = self.ceiling.limits, len(self.ceiling.limits)
        sums = [of_vectors([self.ceiling.nothing], quantities)]
        for place in self.places:
            longer = added(sums[-1], of_vectors(place, quantities), limits)
            sums.append(merged([longer], quantities))
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
        self, costs: StageCosts, width: int, allowed: tuple[Allowed, ...], ceiling: Ceiling
    ) -> None:
        """The table of the stages of a width, with the choices that are allowed for each shape."""
        self.shapes: list[Shape] = costs.shapes(width)
        self.allowed = allowed
        self._costs = costs
        self._ceiling = ceiling
        keys = [(shape[1], ok) for shape, ok in zip(self.shapes, allowed, strict=True)]
        made = {key: Patterns(costs, width, key[0], ceiling, key[1]) for key in dict.fromkeys(keys)}
        self._patterns = [made[key] for key in keys]

    def count(self) -> int:
        """Number of the stages, whatever they cost."""
        return sum(math.prod(map(len, allowed)) for allowed in self.allowed)

    @cached_property
    def _parts(self) -> list[Sums]:
        # The first ratio is the least one, so that nothing is added below zero.
        return [
            patterns.prefixes[-1].moved(self._more(shape)).within(self._ceiling.limits)
            for shape, patterns in zip(self.shapes, self._patterns, strict=True)
        ]

    @cached_property
    def sums(self) -> Sums:
        return joined(self._parts, len(self._ceiling.limits))

    @cached_property
    def origin(self) -> Ints:
        return np.repeat(np.arange(len(self._parts)), [len(part) for part in self._parts])

    def _more(self, shape: Shape) -> Vector:
        return self._ceiling.counted(self._costs.shape(shape))

    def draw(self, row: int, rng: np.random.Generator) -> Stage:
        """A stage with the cost of a row, uniformly among those."""
        number = int(self.origin[row])
        width, depth, ratio = shape = self.shapes[number]
        spent: Vector = tuple(self.sums.costs[:, row].tolist())
        chosen = self._patterns[number].draw(minus(spent, self._more(shape)), rng)
        choices = self._costs.options.choices
        mixers = (choices(width, depth, place)[choice] for place, choice in enumerate(chosen))
        return Stage(depth, width, ratio, tuple(mixers))
