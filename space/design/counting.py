"""The exact number of feasible architectures, by meeting in the middle of the stages.

The costs of the first stages are summed in all combinations, and those of the last stages; then
each sum of the one half counts the sums of the other half that still fit under the limits. So a
space of n⁴ points is counted in the order of n² log n steps.
"""

import math

from space.design.chain import Chain, Node
from space.design.dominance import exact_product, ways_within
from space.design.frontier import Frontier
from space.design.sums import MOST_WAYS, Sums, Vector, added, column, joined, merged, minus
from space.design.too_large import TooLarge

MOST_CORNERS = 2**26
"""Comparisons of the two halves before a space counts as too large; about a microsecond each, and
twenty of them with three sums to compare."""
_BATCH = 2**23

Groups = dict[Node, Sums]


def count_feasible(chain: Chain) -> int:
    """Number of distinct architectures of a chain within its limits, exact.

    Raises:
        TooLarge: if the two halves are too many sums to hold or to compare.
    """
    if not chain.ceiling.names:
        return _count_ways(chain)
    frontier = Frontier(chain)
    if frontier.is_empty():
        return 0
    middle = _middle(chain)
    before = _before(chain, middle, frontier)
    if middle == len(chain.tables):
        last = [sums.moved(chain.last(node)) for node, sums in before.items()]
        return sum(int(sums.within(chain.ceiling.limits).ways.sum()) for sums in last)
    return _meet(chain, middle - 1, before, _after(chain, middle, before))


def _count_ways(chain: Chain) -> int:
    """Where nothing adds up to a limit: the ways through the nodes."""
    counts: dict[Node, int] = {}
    for stage in reversed(range(len(chain.tables))):
        last = stage == len(chain.tables) - 1
        counts = {
            node: table.count()
            * (1 if last else sum(counts[after] for after, _ in chain.following(stage, node)))
            for node, table in chain.tables[stage].items()
        }
    return sum(counts.values())


def _middle(chain: Chain) -> int:
    """Number of stages of the first half, so that the larger half is as small as it can be."""
    sizes = [sum(len(table.sums) for table in tables.values()) for tables in chain.tables]
    cuts = range(1, max(2, len(sizes)))
    return min(cuts, key=lambda cut: max(math.prod(sizes[:cut]), math.prod(sizes[cut:])))


def _before(chain: Chain, stages: int, frontier: Frontier) -> Groups:
    """Sums over the first stages, by the node of the last of them."""
    limits = chain.ceiling.limits
    groups: Groups = {}
    for stage in range(stages):
        reached: dict[Node, list[Sums]] = {node: [] for node in chain.tables[stage]}
        rooms = {node: minus(limits, frontier.least_after(stage, node)) for node in reached}
        if stage == 0:
            for node, table in chain.tables[0].items():
                reached[node] = [table.sums.moved(chain.first(node)).within(rooms[node])]
        else:
            for (narrow, node), cost in chain.links[stage - 1].items():
                table = chain.tables[stage][node]
                begun = groups[narrow].moved(cost)
                reached[node].append(added(begun, table.sums, rooms[node]))
        groups = {node: merged(parts, len(limits)) for node, parts in reached.items()}
    return groups


def _after(chain: Chain, first: int, before: Groups) -> Groups:
    """Sums from a stage to the last one, by the node of the first of them."""
    limits = chain.ceiling.limits
    least = [sums.least for sums in before.values() if len(sums)]
    room = minus(limits, tuple(map(min, zip(*least, strict=True))))
    groups: Groups = {}
    for stage in reversed(range(first, len(chain.tables))):
        reached: Groups = {}
        for node, table in chain.tables[stage].items():
            if stage == len(chain.tables) - 1:
                parts = [table.sums.moved(chain.last(node)).within(room)]
            else:
                parts = [
                    added(groups[after].moved(cost), table.sums, room)
                    for after, cost in chain.following(stage, node)
                ]
            reached[node] = merged(parts, len(limits))
        groups = reached
    return groups


def _meet(chain: Chain, gap: int, before: Groups, after: Groups) -> int:
    links = chain.links[gap]
    corners = sum(len(before[a]) for a, _ in links)
    turned = sum(len(after[b]) for _, b in links)
    if min(corners, turned) > MOST_CORNERS:
        raise TooLarge(
            f"counting needs {min(corners, turned):,} comparisons, and {MOST_CORNERS:,} are allowed"
        )
    left_asks = corners <= turned
    asked: dict[Node, list[Sums]] = {}
    for (a, b), cost in links.items():
        node, asking = (b, before[a]) if left_asks else (a, after[b])
        asked.setdefault(node, []).append(asking.moved(cost))
    points, limits = (after if left_asks else before), chain.ceiling.limits
    return sum(
        _pairs_within(points[node], joined(parts, len(limits)), limits)
        for node, parts in asked.items()
    )


def _pairs_within(points: Sums, asking: Sums, limits: Vector) -> int:
    """Ways to add one of each so that the sum stays within the limits."""
    if not len(points) or not len(asking):
        return 0
    if float(points.ways.sum(dtype=float)) >= MOST_WAYS:
        raise TooLarge(f"half of this space alone has more than {MOST_WAYS:,} points")
    total = 0
    for start in range(0, len(asking), _BATCH):
        part = slice(start, start + _BATCH)
        corners = column(limits) - asking.costs[:, part]
        total += exact_product(asking.ways[part], ways_within(points, corners))
    return total
