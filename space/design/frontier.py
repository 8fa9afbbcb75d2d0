"""Pareto fronts of what can still come: whether a beginning has a feasible end, exactly."""

import numpy as np

from space.design.chain import Chain, Node
from space.design.sums import Ints, Sums, Vector, column, merged, minus, nothing

_CHUNK = 256


def front(sums: Sums) -> Sums:
    """The sums that no other one undercuts in every quantity; one way each, in order."""
    sums = merged([sums], len(sums.costs))
    if len(sums.costs) <= 2:
        # In order of the first quantity, the second has to fall.
        last = sums.costs[-1] if len(sums.costs) == 2 else np.zeros(len(sums), np.int64)
        kept = np.ones(len(sums), bool)
        kept[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
        return _once(sums.taken(kept))
    found = sums.costs[:, :0]
    for start in range(0, len(sums), _CHUNK):
        # What comes later in the order undercuts nothing that comes before.
        part = sums.costs[:, start : start + _CHUNK]
        part = part[:, ~_undercut(part, found)]
        part = part[:, ~_undercut(part, part)]
        found = np.concatenate([found, part], axis=1)
    return Sums(found, np.ones(found.shape[1], np.int64))


def _once(sums: Sums) -> Sums:
    return Sums(sums.costs, np.ones(len(sums), np.int64))


def _undercut(points: Ints, others: Ints) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether another point is at most as large in every quantity; all points are distinct."""
    below = (others[:, None, :] <= points[:, :, None]).all(axis=0)
    same = (others[:, None, :] == points[:, :, None]).all(axis=0)
    undercut: np.ndarray[tuple[int], np.dtype[np.bool_]] = (below & ~same).any(axis=1)
    return undercut


class Frontier:
    """For each stage and node of a chain, the least that the network costs from there on."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._limits = chain.ceiling.limits
        self._after: list[dict[Node, Sums]] = []
        self._from: list[dict[Node, Sums]] = []
        for stage in reversed(range(len(chain.tables))):
            after = {node: self._following(stage, node) for node in chain.tables[stage]}
            fronts = {id(t): front(t.sums) for t in chain.tables[stage].values()}
            self._after.insert(0, after)
            self._from.insert(
                0,
                {
                    node: self._sum(fronts[id(table)], after[node])
                    for node, table in chain.tables[stage].items()
                },
            )

    def _following(self, stage: int, node: Node) -> Sums:
        chain = self._chain
        if stage == len(chain.tables) - 1:
            return Sums(column(chain.last(node)), np.ones(1, np.int64))
        moved = [self._from[0][n].moved(cost) for n, cost in chain.following(stage, node)]
        return front(merged(moved, len(self._limits)))

    def _sum(self, one: Sums, other: Sums) -> Sums:
        """The front of all sums, a row of the shorter front at a time."""
        if len(one) > len(other):
            one, other = other, one
        found = nothing(len(self._limits))
        for spent in one.vectors():
            moved = other.moved(spent).within(self._limits)
            found = front(merged([found, moved], len(self._limits)))
        return found

    def least_after(self, stage: int, node: Node) -> Vector:
        """The least of each quantity after a stage; just above the limits if nothing fits."""
        sums = self._after[stage][node]
        return sums.least if len(sums) else tuple(limit + 1 for limit in self._limits)

    def can_end(self, stage: int, node: Node, spent: Vector) -> bool:
        """Whether some feasible network goes on from a cost after a stage of this node."""
        return len(self._after[stage][node].within(minus(self._limits, spent))) > 0

    def is_empty(self) -> bool:
        """Whether the chain has no feasible network at all."""
        return not any(
            len(sums.moved(self._chain.first(node)).within(self._limits))
            for node, sums in self._from[0].items()
        )
