"""Uniform drawing under hard limits, by counting on a grid.

Costs are rounded down to a grid, so that what fits on it is a little more than what is feasible.
On the grid the ways to end are counted exactly by a dynamic programme from the last stage to the
first; a draw walks it forwards, each choice in proportion to the ways that it leaves. What turns
out not to be feasible is thrown away, which leaves the feasible ones uniform.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from space.design.chain import Chain, Node
from space.design.sums import Ints, Sums, Vector, column, minus, plus

Floats = npt.NDArray[np.float64]
Rows = list[tuple[Node, int]]


@dataclass(frozen=True)
class _Step:
    """One node of one stage on the grid: for each row of its table the costs and their cells."""

    sums: Sums
    cells: Ints


class Grid:
    """The ways through a chain, on a grid of as many axes as quantities add up to a limit.

    Attributes:
        ways: how many architectures fit on the grid, at least as many as are feasible.
    """

    def __init__(self, chain: Chain, cells: int) -> None:
        """The grid with about so many cells."""
        self.chain = chain
        sums = self._sums()
        self._least = [_least([s.least for s in stage.values() if len(s)]) for stage in sums]
        self._least_link = [_least(list(gap.values())) for gap in chain.links]
        self._unit, self._top = self._edges(cells)
        self._steps = [
            {node: self._step(stage, s) for node, s in group.items()}
            for stage, group in enumerate(sums)
        ]
        self._after: list[dict[Node, Floats]] = []
        self._from: list[dict[Node, Floats]] = []
        for stage in reversed(range(len(sums))):
            self._after.insert(0, {node: self._ends(stage, node) for node in sums[stage]})
            steps = self._steps[stage].items()
            self._from.insert(0, {n: self._through(s, self._after[0][n]) for n, s in steps})
        self.ways = sum(float(ways[self._top]) for ways in self._from[0].values())

    def _sums(self) -> list[dict[Node, Sums]]:
        """The tables of the stages, with stem and head put to the first and the last one."""
        chain = self.chain
        sums = [{n: table.sums for n, table in tables.items()} for tables in chain.tables]
        sums[0] = {node: s.moved(chain.first(node)) for node, s in sums[0].items()}
        sums[-1] = {node: s.moved(chain.last(node)) for node, s in sums[-1].items()}
        return sums

    def _edges(self, cells: int) -> tuple[Vector, Vector]:
        """Edges of a cell, and how many of them the limits leave beyond the least costs."""
        slack = self.chain.ceiling.limits
        for part in (*self._least, *self._least_link):
            slack = minus(slack, part)
        resolution = round(cells ** (1 / max(1, len(slack))))
        units = tuple(max(1, -(-max(0, each) // resolution)) for each in slack)
        return units, tuple(max(0, a) // unit for a, unit in zip(slack, units, strict=True))

    def _step(self, stage: int, sums: Sums) -> _Step:
        return _Step(sums, (sums.costs - column(self._least[stage])) // column(self._unit))

    def _cell(self, gap: int, cost: Vector) -> Vector:
        beyond = minus(cost, self._least_link[gap])
        return tuple(each // unit for each, unit in zip(beyond, self._unit, strict=True))

    def _ends(self, stage: int, node: Node) -> Floats:
        """Ways to go on after a stage of this node, for each number of cells that are left."""
        shape = tuple(top + 1 for top in self._top)
        if stage == len(self.chain.tables) - 1:
            return np.ones(shape)
        ways = np.zeros(shape)
        for after, cost in self.chain.following(stage, node):
            _add_moved(ways, self._from[0][after], self._cell(stage, cost), 1.0)
        return ways

    def _through(self, step: _Step, after: Floats) -> Floats:
        fits = (step.cells <= column(self._top)).all(axis=0)
        cells, inverse = np.unique(step.cells[:, fits], axis=1, return_inverse=True)
        weights = np.bincount(
            inverse.ravel(), weights=step.sums.ways[fits], minlength=cells.shape[1]
        )
        ways = np.zeros_like(after)
        for cell, weight in zip(cells.T.tolist(), weights.tolist(), strict=True):
            _add_moved(ways, after, tuple(cell), weight)
        return ways

    def draw(self, rng: np.random.Generator) -> Rows | None:
        """A (node, row of its table) pair for each stage, uniformly; None if it does not fit."""
        left, rows = self._top, []
        spent = self.chain.ceiling.nothing
        nodes = list(self._from[0])
        node = nodes[_pick(rng, [self._from[0][n][left] for n in nodes])]
        for stage, steps in enumerate(self._steps):
            if stage:
                node, left, spent = self._next(rng, stage - 1, node, left, spent)
            step = steps[node]
            row = self._row(rng, step, self._after[stage][node], left)
            rows.append((node, row))
            left = minus(left, tuple(step.cells[:, row].tolist()))
            spent = plus(spent, tuple(step.sums.costs[:, row].tolist()))
        limits = self.chain.ceiling.limits
        return rows if all(a <= b for a, b in zip(spent, limits, strict=True)) else None

    def _next(
        self, rng: np.random.Generator, gap: int, node: Node, left: Vector, spent: Vector
    ) -> tuple[Node, Vector, Vector]:
        options = []
        for after, cost in self.chain.following(gap, node):
            rest = minus(left, self._cell(gap, cost))
            if min(rest, default=0) >= 0:
                options.append((after, rest, plus(spent, cost)))
        ways = [float(self._from[gap + 1][after][rest]) for after, rest, _ in options]
        return options[_pick(rng, ways)]

    def _row(self, rng: np.random.Generator, step: _Step, after: Floats, left: Vector) -> int:
        rest = column(left) - step.cells
        fits = np.flatnonzero((rest >= 0).all(axis=0))
        ends = after[tuple(rest[:, fits])]
        return int(fits[_pick(rng, step.sums.ways[fits] * ends)])


def _least(vectors: list[Vector]) -> Vector:
    return tuple(map(min, zip(*vectors, strict=True)))


def _add_moved(target: Floats, source: Floats, cell: Vector, weight: float) -> None:
    """target[i + cell] += weight · source[i], as far as that is on the grid."""
    edges = target.shape
    if all(move < edge for move, edge in zip(cell, edges, strict=True)):
        kept = tuple(slice(edge - move) for move, edge in zip(cell, edges, strict=True))
        target[tuple(slice(move, None) for move in cell)] += weight * source[kept]


def _pick(rng: np.random.Generator, weights: "list[float] | Floats") -> int:
    """A number drawn in proportion to its weight."""
    running = np.cumsum(weights)
    # Rounding must not lift the ticket to the total, behind which nothing lies.
    ticket = min(rng.random() * running[-1], np.nextafter(running[-1], 0))
    return int(np.searchsorted(running, ticket, side="right"))
