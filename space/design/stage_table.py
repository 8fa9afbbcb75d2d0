"""All stages of one width as a table of costs, and the way back from a cost to a stage."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from space.architecture import Stage
from space.design.sampling import pick
from space.design.stage_costs import Shape, StageCosts, plus
from space.design.sums import Ints, Pair, Sums, added, merged, of_pairs

UNLIMITED = 10**18
"""No limit can be set above it (see `space.design.quantities`)."""


@dataclass(frozen=True)
class Ceiling:
    """The hard limits as numbers; what has no limit counts as nothing.

    Attributes:
        params, macs: the limits, None where there is none.
    """

    params: int | None
    macs: int | None

    @property
    def pair(self) -> Pair:
        """Both limits, `UNLIMITED` where there is none."""
        return (
            UNLIMITED if self.params is None else self.params,
            UNLIMITED if self.macs is None else self.macs,
        )

    def counted(self, spent: Pair) -> Pair:
        """A cost without what has no limit; too much for 64 bits is just above the limit."""
        params = 0 if self.params is None else min(spent[0], self.params + 1)
        macs = 0 if self.macs is None else min(spent[1], self.macs + 1)
        return params, macs


@dataclass(frozen=True)
class Patterns:
    """The patterns of one width and depth.

    Attributes:
        costs: where the costs come from.
        width, depth: the shape, without the MLP ratio.
        ceiling: the hard limits; sums beyond are left out.
    """

    costs: StageCosts
    width: int
    depth: int
    ceiling: Ceiling

    @cached_property
    def places(self) -> list[list[Pair]]:
        """The cost of each choice at each place of the pattern."""
        length = self.costs.options.pattern_length(self.depth)
        return [
            [self.ceiling.counted(p) for p in self.costs.place(self.width, self.depth, place)]
            for place in range(length)
        ]

    @cached_property
    def prefixes(self) -> list[Sums]:
        """The sums over the first places: none of them, one, two, up to all."""
        sums = [of_pairs([(0, 0)])]
        for place in self.places:
            sums.append(merged([added(sums[-1], of_pairs(place), self.ceiling.pair)]))
        return sums

    @cached_property
    def _ways(self) -> list[dict[Pair, int]]:
        return [
            dict(zip(zip(s.params.tolist(), s.macs.tolist(), strict=True), s.ways.tolist(),
                     strict=True))
            for s in self.prefixes[:-1]
        ]  # fmt: skip

    def draw(self, spent: Pair, rng: np.random.Generator) -> list[int]:
        """One of the patterns of a cost, uniformly: the number of the choice at each place."""
        chosen: list[int] = []
        for place in reversed(range(len(self.places))):
            rests = [plus(spent, cost, -1) for cost in self.places[place]]
            ways = [self._ways[place].get(rest, 0) for rest in rests]
            chosen.append(pick(rng, range(len(rests)), ways))
            spent = rests[chosen[-1]]
        return chosen[::-1]


class StageTable:
    """The stages of one width of a space, as sums of costs.

    Attributes:
        sums: a row for every distinct cost of a shape, with the number of its patterns.
        origin: for each row, the number of the shape in `shapes`.
    """

    def __init__(self, costs: StageCosts, width: int, ceiling: Ceiling) -> None:
        self.shapes: list[Shape] = costs.shapes(width)
        self._costs = costs
        self._ceiling = ceiling
        depths = dict.fromkeys(depth for _, depth, _ in self.shapes)
        self._patterns = {depth: Patterns(costs, width, depth, ceiling) for depth in depths}
        parts = [self._of_shape(shape) for shape in self.shapes]
        lengths = [len(part) for part in parts]
        self.sums = Sums(
            np.concatenate([part.params for part in parts]),
            np.concatenate([part.macs for part in parts]),
            np.concatenate([part.ways for part in parts]),
        )
        self.origin: Ints = np.repeat(np.arange(len(parts)), lengths)

    def _more(self, shape: Shape) -> Pair:
        return self._ceiling.counted(self._costs.shape(shape))

    def _of_shape(self, shape: Shape) -> Sums:
        # The first ratio is the least one, so that nothing is added below zero.
        whole = self._patterns[shape[1]].prefixes[-1]
        return whole.moved(self._more(shape)).within(self._ceiling.pair)

    def draw(self, row: int, rng: np.random.Generator) -> Stage:
        """A stage with the cost of a row, uniformly among those."""
        width, depth, ratio = shape = self.shapes[int(self.origin[row])]
        spent = (int(self.sums.params[row]), int(self.sums.macs[row]))
        chosen = self._patterns[depth].draw(plus(spent, self._more(shape), -1), rng)
        choices = self._costs.options.choices
        mixers = (choices(width, depth, place)[number] for place, number in enumerate(chosen))
        return Stage(depth, width, ratio, tuple(mixers))
