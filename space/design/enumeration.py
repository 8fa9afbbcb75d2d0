"""All feasible architectures one after the other, without a step into what has no feasible end."""

import itertools
from collections.abc import Iterator

from space.architecture import Stage
from space.design.chain import Chain
from space.design.frontier import Frontier
from space.design.stage_costs import Shape, plus
from space.design.sums import Pair

Found = tuple[Stage, Pair]


def enumerate_stages(chain: Chain) -> Iterator[tuple[Stage, ...]]:
    """The stages of every feasible architecture of a chain, lazily, in a fixed order.

    Raises:
        TooLarge: if the patterns of one stage are too many for a table of their costs.
    """
    limited = chain.ceiling.params is not None or chain.ceiling.macs is not None
    frontier = Frontier(chain) if limited else None
    if frontier is None or not frontier.is_empty():
        yield from _Walk(chain, frontier).from_stage(0, (), (0, 0))


class _Walk:
    def __init__(self, chain: Chain, frontier: Frontier | None) -> None:
        self._chain = chain
        self._frontier = frontier

    def from_stage(
        self, index: int, made: tuple[Stage, ...], spent: Pair
    ) -> Iterator[tuple[Stage, ...]]:
        """Every way to go on after some stages that cost so much."""
        if index == len(self._chain.options):
            yield made
            return
        for shape in self._chain.options[index].shapes():
            start = plus(spent, self._entry(index, made, shape[0]))
            for stage, cost in self._stages(index, shape, start):
                if self._frontier is None or self._frontier.can_end(index, shape[0], cost):
                    yield from self.from_stage(index + 1, (*made, stage), cost)

    def _entry(self, index: int, made: tuple[Stage, ...], width: int) -> Pair:
        if not made:
            return self._chain.first(width)
        return self._chain.link(index - 1, made[-1].width, width)

    def _stages(self, index: int, shape: Shape, start: Pair) -> Iterator[Found]:
        """The stages of a shape with the cost up to their end."""
        costs, ceiling = self._chain.costs[index], self._chain.ceiling
        width, depth, ratio = shape
        start = plus(start, ceiling.counted(costs.shape(shape)))
        places = range(costs.options.pattern_length(depth))
        choices = [
            list(
                zip(
                    costs.options.choices(width, depth, place),
                    map(ceiling.counted, costs.place(width, depth, place)),
                    strict=True,
                )
            )
            for place in places
        ]
        for pattern in itertools.product(*choices):
            spent = start
            for _, more in pattern:
                spent = plus(spent, more)
            yield Stage(depth, width, ratio, tuple(mixer for mixer, _ in pattern)), spent
