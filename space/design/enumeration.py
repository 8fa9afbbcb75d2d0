"""All feasible architectures one after the other, without a step into what has no feasible end."""

import itertools
from collections.abc import Iterator

from space.architecture import Stage
from space.design.chain import Chain, Node
from space.design.frontier import Frontier
from space.design.sums import Vector, plus

Found = tuple[Stage, Vector]


def enumerate_stages(chain: Chain) -> Iterator[tuple[Stage, ...]]:
    """The stages of every feasible architecture of a chain, lazily, in a fixed order.

    Raises:
        TooLarge: if the patterns of one stage are too many for a table of their costs.
    """
    frontier = None if chain.ceiling.is_open else Frontier(chain)
    if frontier is None or not frontier.is_empty():
        walk = _Walk(chain, frontier)
        for node in chain.nodes[0]:
            yield from walk.from_node(0, (), node, chain.first(node))


class _Walk:
    def __init__(self, chain: Chain, frontier: Frontier | None) -> None:
        self._chain = chain
        self._frontier = frontier

    def from_node(
        self, index: int, made: tuple[Stage, ...], node: Node, spent: Vector
    ) -> Iterator[tuple[Stage, ...]]:
        """Every way to go on after some stages that cost so much, the step to the node included."""
        for stage, cost in self._stages(index, node, spent):
            if self._frontier is not None and not self._frontier.can_end(index, node, cost):
                continue
            if index == len(self._chain.options) - 1:
                yield (*made, stage)
                continue
            for after, more in self._chain.following(index, node):
                yield from self.from_node(index + 1, (*made, stage), after, plus(cost, more))

    def _stages(self, index: int, node: Node, spent: Vector) -> Iterator[Found]:
        """The stages of a node with the cost up to their end."""
        costs, ceiling = self._chain.costs[index], self._chain.ceiling
        choices = costs.options.choices
        allowed = costs.allowed(node.width, self._chain.room(node))
        for shape, numbers in zip(costs.shapes(node.width), allowed, strict=True):
            width, depth, ratio = shape
            start = plus(spent, ceiling.counted(costs.shape(shape)))
            places = []
            for place, kept in enumerate(numbers):
                mixers, each = choices(width, depth, place), costs.place(width, depth, place)
                places.append([(mixers[n], ceiling.counted(each[n])) for n in kept])
            for pattern in itertools.product(*places):
                total = start
                for _, more in pattern:
                    total = plus(total, more)
                yield Stage(depth, width, ratio, tuple(mixer for mixer, _ in pattern)), total
