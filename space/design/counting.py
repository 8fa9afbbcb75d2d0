"""The exact number of feasible architectures, by meeting in the middle of the stages.

The costs of the first stages are summed in all combinations, and those of the last stages; then
each sum of the one half counts the sums of the other half that still fit under both limits. So a
space of n⁴ points is counted in the order of n² log n steps.
"""

import math

from space.design.chain import Chain
from space.design.dominance import exact_product, ways_within
from space.design.frontier import Frontier
from space.design.sums import MOST_WAYS, Pair, Sums, added, joined, merged
from space.design.too_large import TooLarge

MOST_CORNERS = 2**26
"""Comparisons of the two halves before a space counts as too large; about a microsecond each."""
_BATCH = 2**23

Groups = dict[int, Sums]


def count_feasible(chain: Chain) -> int:
    """Number of distinct architectures of a chain within its limits, exact.

    Raises:
        TooLarge: if the two halves are too many sums to hold or to compare.
    """
    if chain.ceiling.params is None and chain.ceiling.macs is None:
        return math.prod(options.count() for options in chain.options)
    frontier = Frontier(chain)
    if frontier.is_empty():
        return 0
    middle = _middle(chain)
    before = _before(chain, middle, frontier)
    if middle == len(chain.tables):
        last = [sums.moved(chain.last(width)) for width, sums in before.items()]
        return sum(int(sums.within(chain.ceiling.pair).ways.sum()) for sums in last)
    return _meet(chain, middle - 1, before, _after(chain, middle, before))


def _middle(chain: Chain) -> int:
    """Number of stages of the first half, so that the larger half is as small as it can be."""
    sizes = [sum(len(table.sums) for table in tables.values()) for tables in chain.tables]
    cuts = range(1, max(2, len(sizes)))
    return min(cuts, key=lambda cut: max(math.prod(sizes[:cut]), math.prod(sizes[cut:])))


def _room(limits: Pair, taken: Pair) -> Pair:
    return limits[0] - taken[0], limits[1] - taken[1]


def _before(chain: Chain, stages: int, frontier: Frontier) -> Groups:
    """Sums over the first stages, by the width of the last of them."""
    groups: Groups = {}
    for stage in range(stages):
        reached: Groups = {}
        for width, table in chain.tables[stage].items():
            room = _room(chain.ceiling.pair, frontier.least_after(stage, width))
            if stage == 0:
                reached[width] = merged([table.sums.moved(chain.first(width)).within(room)])
                continue
            parts = [
                added(sums.moved(chain.link(stage - 1, narrow, width)), table.sums, room)
                for narrow, sums in groups.items()
            ]
            reached[width] = merged(parts)
        groups = reached
    return groups


def _after(chain: Chain, first: int, before: Groups) -> Groups:
    """Sums from a stage to the last one, by the width of the first of them."""
    least = [sums.least for sums in before.values() if len(sums)]
    taken = min(p for p, _ in least), min(m for _, m in least)
    room = _room(chain.ceiling.pair, taken)
    groups: Groups = {}
    for stage in reversed(range(first, len(chain.tables))):
        reached: Groups = {}
        for width, table in chain.tables[stage].items():
            if stage == len(chain.tables) - 1:
                reached[width] = merged([table.sums.moved(chain.last(width)).within(room)])
                continue
            parts = [
                added(sums.moved(chain.link(stage, width, wide)), table.sums, room)
                for wide, sums in groups.items()
            ]
            reached[width] = merged(parts)
        groups = reached
    return groups


def _meet(chain: Chain, gap: int, before: Groups, after: Groups) -> int:
    corners = sum(map(len, before.values())) * len(after)
    turned = sum(map(len, after.values())) * len(before)
    if min(corners, turned) > MOST_CORNERS:
        raise TooLarge(
            f"counting needs {min(corners, turned):,} comparisons, and {MOST_CORNERS:,} are allowed"
        )
    left_asks = corners <= turned
    points, asking = (after, before) if left_asks else (before, after)
    total = 0
    for width, sums in points.items():
        asked = []
        for other, group in asking.items():
            ends = (other, width) if left_asks else (width, other)
            asked.append(group.moved(chain.link(gap, *ends)))
        total += _pairs_within(sums, joined(asked), chain.ceiling.pair)
    return total


def _pairs_within(points: Sums, asking: Sums, limits: Pair) -> int:
    """Ways to add one of each so that the sum stays within the limits."""
    if not len(points) or not len(asking):
        return 0
    if float(points.ways.sum(dtype=float)) >= MOST_WAYS:
        raise TooLarge(f"half of this space alone has more than {MOST_WAYS:,} points")
    total = 0
    for start in range(0, len(asking), _BATCH):
        part = slice(start, start + _BATCH)
        params, macs = limits[0] - asking.params[part], limits[1] - asking.macs[part]
        total += exact_product(asking.ways[part], ways_within(points, params, macs))
    return total
