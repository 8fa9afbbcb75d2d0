"""The exact number of feasible architectures, by meeting in the middle of the stages.

The costs of the first stages are summed in all combinations, and those of the last stages; then
each sum of the one half counts the sums of the other half that still fit under the limits. So a
space of n⁴ points is counted in the order of n² log n steps.
"""

import math
from collections.abc import Callable

from space.cost.piece_costs import Vector
from space.design.feasible.chain import Chain, Link, Node
from space.design.feasible.cost_sums import (
    MOST_WAYS,
    SpaceTooLarge,
    Sums,
    added,
    column,
    joined,
    merged,
    minus,
    of_vectors,
)
from space.design.feasible.dominance import exact_product, ways_within
from space.design.feasible.fold import Fold, Values
from space.design.feasible.frontier import Frontier

MOST_CORNERS = 2**26
"""Comparisons of the two halves before a space counts as too large; about a microsecond each, and
twenty of them with three sums to compare."""
_BATCH = 2**23

Parts = list[Sums]
"""Sums of a node. Ways that meet there are kept apart, so that one product is held at a time."""


def count_feasible(chain: Chain) -> int:
    """Number of distinct architectures of a chain within its limits, exact.

    Raises:
        SpaceTooLarge: if the two halves are too many sums to hold or to compare.
    """
    if not chain.limits.summed:
        return Fold(chain, _Numbers(chain)).total()
    frontier = Frontier(chain)
    if frontier.is_empty():
        return 0
    bounds, middle = chain.limits.bounds, _middle(chain)
    before = Fold(
        chain,
        _CountBySum(chain, lambda s, node: minus(bounds, frontier.least_after(s, node))),
        stages=middle,
    ).last
    room = minus(bounds, _least(before))
    after = Fold(
        chain,
        _CountBySum(chain, lambda s, node: room),
        backward=True,
        stages=len(chain.tables) - middle,
    ).last
    return _meet(chain, middle, before, after)


class _Numbers:
    """The semiring of whole numbers, where nothing adds up to a limit: how many ways there are."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def one(self) -> int:
        return 1

    def join(self, ways: list[int]) -> int:
        return sum(ways)

    def along(self, value: int, gap: int, link: Link) -> int:
        return value

    def through(self, value: int, stage: int, node: Node) -> int:
        return value * self._chain.tables[stage][node].count()


class _CountBySum:
    """The semiring of sums of costs, each with the number of its ways, as far as there is room."""

    def __init__(self, chain: Chain, room: Callable[[int, Node], Vector]) -> None:
        """
        Args:
            chain: whose stages and links cost something.
            room: the most that the ways through a stage and node may have cost.
        """
        self._chain = chain
        self._room = room
        self._quantities = len(chain.limits.bounds)

    def one(self) -> Parts:
        return [of_vectors([(0,) * self._quantities], self._quantities)]

    def join(self, ways: list[Parts]) -> Parts:
        return [part for parts in ways for part in parts]

    def along(self, value: Parts, gap: int, link: Link) -> Parts:
        return [part.moved(self._chain.links[gap][link]) for part in value]

    def through(self, value: Parts, stage: int, node: Node) -> Parts:
        table, room = self._chain.tables[stage][node], self._room(stage, node)
        return [merged([added(part, table.sums, room) for part in value], self._quantities)]


def _middle(chain: Chain) -> int:
    """Number of stages of the first half, so that the larger half is as small as it can be."""
    sizes = [sum(len(table.sums) for table in tables.values()) for tables in chain.tables]
    cuts = range(1, max(2, len(sizes)))
    return min(cuts, key=lambda cut: max(math.prod(sizes[:cut]), math.prod(sizes[cut:])))


def _least(values: Values[Parts]) -> Vector:
    """The least of each quantity, over all nodes."""
    least = [part.least for parts in values.values() for part in parts if len(part)]
    return tuple(map(min, zip(*least, strict=True)))


def _meet(chain: Chain, gap: int, before: Values[Parts], after: Values[Parts]) -> int:
    """Ways through a gap with the sums on both sides of it within the limits."""
    links, bounds = chain.links[gap], chain.limits.bounds
    corners = sum(len(part) for a, _ in links for part in before[a])
    turned = sum(len(part) for _, b in links for part in after[b])
    if min(corners, turned) > MOST_CORNERS:
        raise SpaceTooLarge(
            f"counting needs {min(corners, turned):,} comparisons, and {MOST_CORNERS:,} are allowed"
        )
    left_asks = corners <= turned
    asked: dict[Node, Parts] = {}
    for (a, b), cost in links.items():
        node, asking = (b, before[a]) if left_asks else (a, after[b])
        asked.setdefault(node, []).extend(part.moved(cost) for part in asking)
    points = after if left_asks else before
    return sum(
        _pairs_within(joined(points[node], len(bounds)), joined(parts, len(bounds)), bounds)
        for node, parts in asked.items()
    )


def _pairs_within(points: Sums, asking: Sums, limits: Vector) -> int:
    """Ways to add one of each so that the sum stays within the limits."""
    if not len(points) or not len(asking):
        return 0
    if float(points.ways.sum(dtype=float)) >= MOST_WAYS:
        raise SpaceTooLarge(f"half of this space alone has more than {MOST_WAYS:,} points")
    total = 0
    for start in range(0, len(asking), _BATCH):
        part = slice(start, start + _BATCH)
        corners = column(limits) - asking.costs[:, part]
        total += exact_product(asking.ways[part], ways_within(points, corners))
    return total
