"""The rules of the schedulers once more, slow and obvious."""

import statistics
from collections.abc import Hashable, Sequence

from search.objectives import Objectives, Values
from search.testing.scheduler_suite import Report


def better(objectives: Objectives, one: Values, other: Values) -> bool:
    """Whether one result dominates another: feasible first, then smaller violation, then Pareto."""
    off = objectives.violation(one), objectives.violation(other)
    if max(off) > 0:
        return off[0] < off[1]
    pairs = list(zip(objectives.vector(one), objectives.vector(other), strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def fronts(objectives: Objectives, results: Sequence[Values]) -> list[list[Values]]:
    """Peel off what nothing dominates, again and again."""
    left, found = list(results), []
    while left:
        front = [
            each for each in left if not any(better(objectives, other, each) for other in left)
        ]
        left = [each for each in left if not any(each is other for other in front)]
        found.append(front)
    return found


def spread_out(objectives: Objectives, front: Sequence[Values]) -> list[tuple[float, ...]]:
    """The distinct vectors of a front, each one farthest from those before it."""
    rows = sorted({objectives.vector(each) for each in front})
    low = [min(column) for column in zip(*rows, strict=True)]
    width = [(max(c) - min(c)) or 1.0 for c in zip(*rows, strict=True)]
    scaled = {row: [(x - a) / w for x, a, w in zip(row, low, width, strict=True)] for row in rows}

    def gap(row: tuple[float, ...], chosen: Sequence[tuple[float, ...]]) -> float:
        pairs = [zip(scaled[row], scaled[other], strict=True) for other in chosen]
        return min(sum((a - b) ** 2 for a, b in pair) for pair in pairs)

    order = [rows[-1]]
    while len(order) < len(rows):
        left = [row for row in rows if row not in order]
        order.append(max(left, key=lambda row: gap(row, order)))
    return order


def place(objectives: Objectives, results: Sequence[Values], one: Values) -> int:
    """One more than the results that come before `one`, which is among the results."""
    before = 0
    for front in fronts(objectives, results):
        if not any(each is one for each in front):
            before += len(front)
        elif objectives.violation(one) > 0:
            return before + 1
        else:
            order = spread_out(objectives, front)
            earlier = order[: order.index(objectives.vector(one))]
            return before + 1 + sum(objectives.vector(each) in earlier for each in front)
    raise AssertionError("not among the results")


def halving(
    objectives: Objectives, last: int, rungs: Sequence[int], factor: int, reports: Sequence[Report]
) -> list[bool]:
    """Whether each report of some trials is answered with a stop, by successive halving."""
    reached: dict[int, dict[Hashable, Values]] = {rung: {} for rung in rungs}
    answers = []
    for trial, epoch, values in reports:
        stop = False
        for rung in (rung for rung in rungs if rung <= epoch and objectives.has(values)):
            if stop or trial in reached[rung]:
                continue
            reached[rung][trial] = values
            results = list(reached[rung].values())
            stop = place(objectives, results, values) > max(1, len(results) // factor)
            stop = stop and epoch < last
        answers.append(stop)
    return answers


def median(
    objectives: Objectives, last: int, grace: int, least: int, reports: Sequence[Report]
) -> list[bool]:
    """The same by the median rule, for objectives without constraints and epochs that rise."""
    curves: dict[Hashable, dict[int, float]] = {}
    answers = []
    for trial, epoch, values in reports:
        others = [
            statistics.fmean(value for at, value in curve.items() if at <= epoch)
            for other, curve in curves.items()
            if other != trial and epoch in curve
        ]
        curve = curves.setdefault(trial, {})
        if not objectives.has(values) or epoch <= max(curve, default=0):
            answers.append(False)
            continue
        curve[epoch] = objectives.vector(values)[0]
        enough = len(others) >= least and grace <= epoch < last
        bound = statistics.median(others) if others else 0.0
        slack = 1e-12 * max(1.0, abs(bound))  # averages are rounded
        answers.append(enough and max(curve.values()) + slack < bound)
    return answers


def shares(rungs: int, factor: int) -> list[int]:
    """How many trials each bracket of Hyperband begins with, that of the most rungs first."""
    sizes = []
    for halvings in reversed(range(rungs + 1)):
        exact, rest = divmod((rungs + 1) * factor**halvings, halvings + 1)
        sizes.append(exact + (rest > 0))
    return sizes
