"""Uniform drawing under hard limits, by counting on a grid.

Costs are rounded down to a grid, so that what fits on it is a little more than what is feasible.
On the grid the ways to end are counted exactly by a dynamic programme from the last stage to the
first; a draw walks it forwards, each choice in proportion to the ways that it leaves. What turns
out not to be feasible is thrown away, which leaves the feasible ones uniform.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from space.design.chain import Chain
from space.design.sums import Ints, Pair, Sums

Floats = npt.NDArray[np.float64]
Rows = list[tuple[int, int]]


@dataclass(frozen=True)
class _Step:
    """One width of one stage on the grid: for each row of its table the costs and their cells."""

    sums: Sums
    params: Ints
    macs: Ints


class Grid:
    """The ways through a chain, on a grid.

    Attributes:
        ways: how many architectures fit on the grid, at least as many as are feasible.
    """

    def __init__(self, chain: Chain, resolution: int) -> None:
        self.chain = chain
        sums = self._sums()
        links = [[chain.ceiling.counted(c) for c in gap.values()] for gap in chain.downs]
        self._least = [_least([s.least for s in stage.values() if len(s)]) for stage in sums]
        self._least_link = [_least(gap) for gap in links]
        parts = [*self._least, *self._least_link]
        self._unit, self._top = self._cells(parts, resolution)
        self._steps = [
            {width: self._step(stage, s) for width, s in group.items()}
            for stage, group in enumerate(sums)
        ]
        self._after: list[dict[int, Floats]] = []
        self._from: list[dict[int, Floats]] = []
        for stage in reversed(range(len(sums))):
            self._after.insert(0, {width: self._ends(stage, width) for width in sums[stage]})
            steps = self._steps[stage].items()
            self._from.insert(0, {w: self._through(s, self._after[0][w]) for w, s in steps})
        self.ways = sum(float(ways[self._top]) for ways in self._from[0].values())

    def _sums(self) -> list[dict[int, Sums]]:
        """The tables of the stages, with stem and head put to the first and the last one."""
        chain = self.chain
        sums = [{w: table.sums for w, table in tables.items()} for tables in chain.tables]
        sums[0] = {width: s.moved(chain.first(width)) for width, s in sums[0].items()}
        sums[-1] = {width: s.moved(chain.last(width)) for width, s in sums[-1].items()}
        return sums

    def _cells(self, parts: list[Pair], resolution: int) -> tuple[Pair, Pair]:
        """Edge of a cell, and how many of them the limits leave beyond the least costs."""
        units, tops = [], []
        limits = (self.chain.ceiling.params, self.chain.ceiling.macs)
        for axis, limit in enumerate(limits):
            slack = 0 if limit is None else max(0, limit - sum(part[axis] for part in parts))
            units.append(max(1, -(-slack // resolution)))
            tops.append(slack // units[-1])
        return (units[0], units[1]), (tops[0], tops[1])

    def _step(self, stage: int, sums: Sums) -> _Step:
        least = self._least[stage]
        return _Step(
            sums,
            (sums.params - least[0]) // self._unit[0],
            (sums.macs - least[1]) // self._unit[1],
        )

    def _link_cell(self, gap: int, before: int, after: int) -> Pair:
        cost, least = self.chain.link(gap, before, after), self._least_link[gap]
        return (cost[0] - least[0]) // self._unit[0], (cost[1] - least[1]) // self._unit[1]

    def _ends(self, stage: int, width: int) -> Floats:
        """Ways to go on after a stage of this width, for each number of cells that are left."""
        shape = (self._top[0] + 1, self._top[1] + 1)
        if stage == len(self.chain.tables) - 1:
            return np.ones(shape)
        ways = np.zeros(shape)
        for wide, going_on in self._from[0].items():
            _add_moved(ways, going_on, self._link_cell(stage, width, wide), 1.0)
        return ways

    def _through(self, step: _Step, after: Floats) -> Floats:
        fits = (step.params <= self._top[0]) & (step.macs <= self._top[1])
        columns = self._top[1] + 1
        cells, inverse = np.unique(
            step.params[fits] * columns + step.macs[fits], return_inverse=True
        )
        weights = np.bincount(inverse, weights=step.sums.ways[fits], minlength=len(cells))
        ways = np.zeros_like(after)
        for cell, weight in zip(cells.tolist(), weights.tolist(), strict=True):
            _add_moved(ways, after, divmod(cell, columns), weight)
        return ways

    def draw(self, rng: np.random.Generator) -> Rows | None:
        """A (width, row of its table) pair for each stage, uniformly; None if it does not fit."""
        left, rows = self._top, []
        spent = (0, 0)
        widths = list(self._from[0])
        width = widths[_pick(rng, [self._from[0][w][left] for w in widths])]
        for stage, steps in enumerate(self._steps):
            if stage:
                width, left, spent = self._next_width(rng, stage - 1, width, left, spent)
            step = steps[width]
            row = self._row(rng, step, self._after[stage][width], left)
            rows.append((width, row))
            left = (left[0] - int(step.params[row]), left[1] - int(step.macs[row]))
            spent = (spent[0] + int(step.sums.params[row]), spent[1] + int(step.sums.macs[row]))
        limits = self.chain.ceiling.pair
        return rows if spent[0] <= limits[0] and spent[1] <= limits[1] else None

    def _next_width(
        self, rng: np.random.Generator, gap: int, width: int, left: Pair, spent: Pair
    ) -> tuple[int, Pair, Pair]:
        options = []
        for wide, ways in self._from[gap + 1].items():
            cell = self._link_cell(gap, width, wide)
            rest = (left[0] - cell[0], left[1] - cell[1])
            if min(rest) >= 0:
                options.append((wide, rest, float(ways[rest])))
        wide, rest, _ = options[_pick(rng, [ways for _, _, ways in options])]
        cost = self.chain.link(gap, width, wide)
        return wide, rest, (spent[0] + cost[0], spent[1] + cost[1])

    def _row(self, rng: np.random.Generator, step: _Step, after: Floats, left: Pair) -> int:
        fits = np.flatnonzero((step.params <= left[0]) & (step.macs <= left[1]))
        ends = after[left[0] - step.params[fits], left[1] - step.macs[fits]]
        return int(fits[_pick(rng, step.sums.ways[fits] * ends)])


def _least(pairs: list[Pair]) -> Pair:
    return min(params for params, _ in pairs), min(macs for _, macs in pairs)


def _add_moved(target: Floats, source: Floats, cell: Pair, weight: float) -> None:
    """target[i + cell] += weight · source[i], as far as that is on the grid."""
    rows, columns = target.shape
    if cell[0] < rows and cell[1] < columns:
        moved = source[: rows - cell[0], : columns - cell[1]]
        target[cell[0] :, cell[1] :] += weight * moved


def _pick(rng: np.random.Generator, weights: "list[float] | Floats") -> int:
    """A number drawn in proportion to its weight."""
    running = np.cumsum(weights)
    # Rounding must not lift the ticket to the total, behind which nothing lies.
    ticket = min(rng.random() * running[-1], np.nextafter(running[-1], 0))
    return int(np.searchsorted(running, ticket, side="right"))
