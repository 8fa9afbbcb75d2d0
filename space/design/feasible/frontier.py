"""What can still come: Pareto fronts of the rest of a network tell whether a beginning has a
feasible end, exactly. So all feasible architectures can be listed without a step in vain."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from space.architecture import Stage
from space.cost.piece_costs import Vector
from space.design.feasible.chain import Chain, Link, Node
from space.design.feasible.cost_sums import (
    Ints,
    Sums,
    joined,
    merged,
    minus,
    nothing,
    of_vectors,
    plus,
)
from space.design.feasible.fold import Fold
from space.design.feasible.stage_table import StageTable
from space.design.hard_limits import Limits

_CHUNK = 256


def front(sums: Sums) -> Sums:
    """The sums that no other one undercuts in every quantity; one way each, in order."""
    sums = merged([sums], len(sums.costs))
    if len(sums.costs) <= 2:
        # In order of the first quantity, the second has to fall.
        last = sums.costs[-1] if len(sums.costs) == 2 else np.zeros(len(sums), np.int64)
        kept = np.ones(len(sums), bool)
        kept[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
        return _once(sums.costs[:, kept])
    found = sums.costs[:, :0]
    for start in range(0, len(sums), _CHUNK):
        # What comes later in the order undercuts nothing that comes before.
        part = sums.costs[:, start : start + _CHUNK]
        part = part[:, ~_undercut(part, found)]
        part = part[:, ~_undercut(part, part)]
        found = np.concatenate([found, part], axis=1)
    return _once(found)


def _once(costs: Ints) -> Sums:
    return Sums(costs, np.ones(costs.shape[1], np.int64))


def _undercut(points: Ints, others: Ints) -> npt.NDArray[np.bool_]:
    """Whether another point is at most as large in every quantity; all points are distinct."""
    below = (others[:, None, :] <= points[:, :, None]).all(axis=0)
    same = (others[:, None, :] == points[:, :, None]).all(axis=0)
    undercut: npt.NDArray[np.bool_] = (below & ~same).any(axis=1)
    return undercut


class _Fronts:
    """The semiring of Pareto fronts: of several ways, and of a way with a stage, the least."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._bounds = chain.limits.bounds
        self._of_tables: dict[StageTable, Sums] = {}

    def one(self) -> Sums:
        return of_vectors([(0,) * len(self._bounds)], len(self._bounds))

    def join(self, ways: list[Sums]) -> Sums:
        return front(joined(ways, len(self._bounds)))

    def along(self, value: Sums, gap: int, link: Link) -> Sums:
        return value.moved(self._chain.links[gap][link])

    def through(self, value: Sums, stage: int, node: Node) -> Sums:
        """The front of all sums, a row of the shorter front at a time."""
        one, other = sorted((self._of_table(self._chain.tables[stage][node]), value), key=len)
        found = nothing(len(self._bounds))
        for spent in one.vectors():
            moved = other.moved(spent).within(self._bounds)
            found = front(joined([found, moved], len(self._bounds)))
        return found

    def _of_table(self, table: StageTable) -> Sums:
        if table not in self._of_tables:
            self._of_tables[table] = front(table.sums)
        return self._of_tables[table]


class Frontier:
    """For each stage and node of a chain, the least that the network costs from there on."""

    def __init__(self, chain: Chain) -> None:
        self._bounds = chain.limits.bounds
        fold = Fold(chain, _Fronts(chain), backward=True)
        self._after = fold.reached
        self._whole = fold.total()

    def least_after(self, stage: int, node: Node) -> Vector:
        """The least of each quantity after a stage; just above the limits if nothing fits."""
        sums = self._after[stage][node]
        return sums.least if len(sums) else tuple(limit + 1 for limit in self._bounds)

    def can_end(self, stage: int, node: Node, spent: Vector) -> bool:
        """Whether some feasible network goes on from a cost after a stage of this node."""
        return len(self._after[stage][node].within(minus(self._bounds, spent))) > 0

    def is_empty(self) -> bool:
        """Whether the chain has no feasible network at all."""
        return not len(self._whole.within(self._bounds))


# --- listing ----------------------------------------------------------------------------------

Rest = Callable[[Vector], Iterator[tuple[Stage, ...]]]
"""Every feasible way on, by what a network has cost so far, in a fixed order."""


def list_stages(chain: Chain) -> Iterator[tuple[Stage, ...]]:
    """The stages of every feasible architecture of a chain, lazily, in a fixed order.

    Raises:
        SpaceTooLarge: if the patterns of one stage are too many for a table of their costs.
    """
    frontier = None if chain.limits == Limits() else Frontier(chain)
    if frontier is None or not frontier.is_empty():
        listing = Fold(chain, _Lists(chain, frontier), backward=True).total()
        yield from listing((0,) * len(chain.limits.bounds))


class _Lists:
    """The semiring of lists of ways, made lazily: nothing is kept but how to go on."""

    def __init__(self, chain: Chain, frontier: Frontier | None) -> None:
        self._chain = chain
        self._frontier = frontier

    def one(self) -> Rest:
        return lambda spent: iter([()])

    def join(self, ways: list[Rest]) -> Rest:
        return lambda spent: itertools.chain.from_iterable(way(spent) for way in ways)

    def along(self, value: Rest, gap: int, link: Link) -> Rest:
        cost = self._chain.links[gap][link]
        return lambda spent: value(plus(spent, cost))

    def through(self, value: Rest, stage: int, node: Node) -> Rest:
        def ways(spent: Vector) -> Iterator[tuple[Stage, ...]]:
            for made, total in self._stages(stage, node, spent):
                if self._frontier is None or self._frontier.can_end(stage, node, total):
                    for rest in value(total):
                        yield (made, *rest)

        return ways

    def _stages(self, stage: int, node: Node, spent: Vector) -> Iterator[tuple[Stage, Vector]]:
        """The stages of a node with the cost up to their end."""
        costs, clipped = self._chain.costs[stage], self._chain.limits.clipped
        choices = costs.options.choices
        allowed = costs.allowed(node.width, self._chain.room(node))
        for shape, numbers in zip(costs.shapes(node.width), allowed, strict=True):
            width, depth, ratio = shape
            start = plus(spent, clipped(costs.shape(shape)))
            places = []
            for place, kept in enumerate(numbers):
                mixers, each = choices(width, depth, place), costs.place(width, depth, place)
                places.append([(mixers[n], clipped(each[n])) for n in kept])
            for pattern in itertools.product(*places):
                total = start
                for _, more in pattern:
                    total = plus(total, more)
                yield Stage(depth, width, ratio, tuple(mixer for mixer, _ in pattern)), total
