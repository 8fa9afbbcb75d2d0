"""Pareto fronts of what can still come: whether a beginning has a feasible end, exactly."""

import numpy as np

from space.design.chain import Chain
from space.design.sums import Pair, Sums, merged, nothing


def front(sums: Sums) -> Sums:
    """The sums that no other one undercuts in both params and MACs; one way each."""
    if not len(sums):
        return sums
    order = np.lexsort((sums.macs, sums.params))
    params, macs = sums.params[order], sums.macs[order]
    least_before = np.minimum.accumulate(np.concatenate([[macs[0] + 1], macs[:-1]]))
    kept = macs < least_before
    return Sums(params[kept], macs[kept], np.ones(int(kept.sum()), np.int64))


class Frontier:
    """For each stage and width of a chain, the least that the network costs from there on."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._limits = chain.ceiling.pair
        self._after: list[dict[int, Sums]] = []
        self._from: list[dict[int, Sums]] = []
        for stage in reversed(range(len(chain.tables))):
            after = {width: self._following(stage, width) for width in chain.tables[stage]}
            self._after.insert(0, after)
            self._from.insert(
                0,
                {
                    width: self._sum(front(table.sums), after[width])
                    for width, table in chain.tables[stage].items()
                },
            )

    def _following(self, stage: int, width: int) -> Sums:
        chain = self._chain
        if stage == len(chain.tables) - 1:
            params, macs = chain.last(width)
            one = np.ones(1, np.int64)
            return Sums(one * params, one * macs, one)
        nexts = self._from[0]
        return front(merged([sums.moved(chain.link(stage, width, w)) for w, sums in nexts.items()]))

    def _sum(self, one: Sums, other: Sums) -> Sums:
        """The front of all sums, a row of the shorter front at a time."""
        if len(one) > len(other):
            one, other = other, one
        found = nothing()
        for params, macs in zip(one.params.tolist(), one.macs.tolist(), strict=True):
            moved = other.moved((params, macs)).within(self._limits)
            found = front(merged([found, moved]))
        return found

    def least_after(self, stage: int, width: int) -> Pair:
        """Least params and least MACs after a stage; just above the limits if nothing fits."""
        sums = self._after[stage][width]
        return sums.least if len(sums) else (self._limits[0] + 1, self._limits[1] + 1)

    def can_end(self, stage: int, width: int, spent: Pair) -> bool:
        """Whether some feasible network goes on from a cost after a stage of this width."""
        sums = self._after[stage][width]
        params, macs = self._limits[0] - spent[0], self._limits[1] - spent[1]
        # Along a front MACs fall as params rise: the last one with few enough params has the least.
        place = int(np.searchsorted(sums.params, params, side="right")) - 1
        return place >= 0 and int(sums.macs[place]) <= macs

    def is_empty(self) -> bool:
        """Whether the chain has no feasible network at all."""
        for width, sums in self._from[0].items():
            if len(sums.moved(self._chain.first(width)).within(self._limits)):
                return False
        return True
