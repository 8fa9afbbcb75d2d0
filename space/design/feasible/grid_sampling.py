"""Uniform drawing where few points of a space are feasible, by counting on a grid.

Costs are rounded down to a grid, so that what fits on it is a little more than what is feasible.
On the grid the ways to end are counted by a fold from the last stage to the first; a draw walks it
forwards, each choice in proportion to the ways that it leaves. What turns out not to be feasible
is thrown away, which leaves the feasible ones uniform.
"""

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from space.architecture import Architecture
from space.cost.piece_costs import Vector
from space.design.feasible.chain import OUTSIDE, Chain, Link, Node
from space.design.feasible.cost_sums import Ints, Sums, column, minus, plus
from space.design.feasible.fold import Fold
from space.design.feasible.frontier import Frontier, list_stages

RESOLUTIONS = (160**2, 480**2)
"""Cells of the grids, whatever the number of quantities."""
PROBES = 64
LISTED = 20_000
"""Feasible points up to which they are listed where no grid serves."""

Floats = npt.NDArray[np.float64]


class Grid:
    """The ways through a chain, on a grid of as many axes as quantities add up to a limit.

    It is the semiring of arrays of ways, by the cells that are left: a link or a row of a stage's
    table moves them by its cells. Stem and head are rounded together with their stages.

    Attributes:
        ways: how many architectures fit on the grid, at least as many as are feasible.
    """

    def __init__(self, chain: Chain, cells: int) -> None:
        """The grid with about so many cells."""
        self.chain = chain
        self._sums = self._with_ends()
        self._least = [_least([s.least for s in of.values() if len(s)]) for of in self._sums]
        self._least_link = [_least(list(gap.values())) for gap in chain.links[1:-1]]
        self._unit, self._top = self._edges(cells)
        self._cells = [
            {node: self._rounded(stage, sums) for node, sums in of.items()}
            for stage, of in enumerate(self._sums)
        ]
        self._fold: Fold[Floats] = Fold(chain, self, backward=True)
        self.ways = float(self._fold.total()[self._top])

    def _with_ends(self) -> list[dict[Node, Sums]]:
        """The tables of the stages, with stem and head put to the first and the last one."""
        links = self.chain.links
        sums = [{n: table.sums for n, table in tables.items()} for tables in self.chain.tables]
        sums[0] = {node: s.moved(links[0][OUTSIDE, node]) for node, s in sums[0].items()}
        sums[-1] = {node: s.moved(links[-1][node, OUTSIDE]) for node, s in sums[-1].items()}
        return sums

    def _edges(self, cells: int) -> tuple[Vector, Vector]:
        """Edges of a cell, and how many of them the limits leave beyond the least costs."""
        slack = self.chain.limits.bounds
        for part in (*self._least, *self._least_link):
            slack = minus(slack, part)
        resolution = round(cells ** (1 / max(1, len(slack))))
        units = tuple(max(1, -(-max(0, each) // resolution)) for each in slack)
        return units, tuple(max(0, a) // unit for a, unit in zip(slack, units, strict=True))

    def _rounded(self, stage: int, sums: Sums) -> Ints:
        return (sums.costs - column(self._least[stage])) // column(self._unit)

    # --- the semiring -------------------------------------------------------------------------

    def one(self) -> Floats:
        return np.ones(self._shape)

    def join(self, ways: list[Floats]) -> Floats:
        return sum(ways, start=np.zeros(self._shape))

    def along(self, value: Floats, gap: int, link: Link) -> Floats:
        if OUTSIDE in link:
            return value
        ways = np.zeros(self._shape)
        _add_moved(ways, value, self._cell_of(gap, self.chain.links[gap][link]), 1.0)
        return ways

    def through(self, value: Floats, stage: int, node: Node) -> Floats:
        cells = self._cells[stage][node]
        fits = (cells <= column(self._top)).all(axis=0)
        distinct, inverse = np.unique(cells[:, fits], axis=1, return_inverse=True)
        rows = self._sums[stage][node].ways[fits]
        weights = np.bincount(inverse.ravel(), weights=rows, minlength=distinct.shape[1])
        ways = np.zeros(self._shape)
        for cell, weight in zip(distinct.T.tolist(), weights.tolist(), strict=True):
            _add_moved(ways, value, tuple(cell), weight)
        return ways

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(top + 1 for top in self._top)

    def _cell_of(self, gap: int, cost: Vector) -> Vector:
        beyond = minus(cost, self._least_link[gap - 1])
        return tuple(each // unit for each, unit in zip(beyond, self._unit, strict=True))

    # --- drawing ------------------------------------------------------------------------------

    @cached_property
    def _following(self) -> list[dict[Node, list[tuple[Node, Vector, Vector]]]]:
        """For each gap and node before it, the nodes after it, with the cells and cost between."""
        following: list[dict[Node, list[tuple[Node, Vector, Vector]]]] = [{}]
        for gap, links in enumerate(self.chain.links[1:-1], start=1):
            following.append({})
            for (before, after), cost in links.items():
                way = after, self._cell_of(gap, cost), cost
                following[gap].setdefault(before, []).append(way)
        return following

    def draw(self, rng: np.random.Generator) -> Architecture | None:
        """An architecture, uniformly; None if it fits the grid and not the limits."""
        left, stages = self._top, []
        spent = (0,) * len(left)
        nodes = list(self._fold.last)
        node = nodes[_pick(rng, [self._fold.last[n][left] for n in nodes])]
        for stage in range(len(self._sums)):
            if stage:
                node, left, spent = self._next(rng, stage, node, left, spent)
            row = self._row(rng, stage, node, left)
            stages.append((node, row))
            left = minus(left, tuple(self._cells[stage][node][:, row].tolist()))
            spent = plus(spent, tuple(self._sums[stage][node].costs[:, row].tolist()))
        if any(a > b for a, b in zip(spent, self.chain.limits.bounds, strict=True)):
            return None
        tables = zip(stages, self.chain.tables, strict=True)
        return self.chain.architecture(
            tuple(by_node[node].draw(row, rng) for (node, row), by_node in tables)
        )

    def _next(
        self, rng: np.random.Generator, stage: int, node: Node, left: Vector, spent: Vector
    ) -> tuple[Node, Vector, Vector]:
        options = []
        for after, cells, cost in self._following[stage][node]:
            rest = minus(left, cells)
            if min(rest, default=0) >= 0:
                options.append((after, rest, plus(spent, cost)))
        passed = self._fold.passed[stage]
        return options[_pick(rng, [float(passed[after][rest]) for after, rest, _ in options])]

    def _row(self, rng: np.random.Generator, stage: int, node: Node, left: Vector) -> int:
        rest = column(left) - self._cells[stage][node]
        fits = np.flatnonzero((rest >= 0).all(axis=0))
        ends = self._fold.reached[stage][node][tuple(rest[:, fits])]
        return int(fits[_pick(rng, self._sums[stage][node].ways[fits] * ends)])


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


class FeasibleSampler:
    """Draws uniformly among the feasible architectures of some chains.

    The way is chosen once, by the chains alone, so that a draw depends on nothing but its random
    generator: a grid, a finer grid if few of its draws are feasible, and a list of all points
    where they are few.
    """

    def __init__(self, chains: Sequence[Chain]) -> None:
        self._chains = [chain for chain in chains if not Frontier(chain).is_empty()]
        self._grids: list[Grid] = []
        self._listed: list[Architecture] = []
        for resolution in RESOLUTIONS if self._chains else ():
            self._grids = [Grid(chain, resolution) for chain in self._chains]
            rng = np.random.default_rng(0)
            if any(self._attempt(rng) is not None for _ in range(PROBES)):
                return
        self._listed = self._list()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is feasible."""
        return not self._chains

    def draw(self, rng: np.random.Generator, tries: int) -> Architecture | None:
        """A feasible architecture, uniformly; None if none was met."""
        if self._listed:
            return self._listed[rng.integers(len(self._listed))]
        for _ in range(tries if self._grids else 0):
            architecture = self._attempt(rng)
            if architecture is not None:
                return architecture
        return None

    def _attempt(self, rng: np.random.Generator) -> Architecture | None:
        ways = np.cumsum([grid.ways for grid in self._grids])
        place = int(np.searchsorted(ways, rng.random() * ways[-1], side="right"))
        return self._grids[min(place, len(ways) - 1)].draw(rng)

    def _list(self) -> list[Architecture]:
        """All feasible points, or none of them if they are many."""
        points = (
            chain.architecture(stages) for chain in self._chains for stages in list_stages(chain)
        )
        listed = list(itertools.islice(points, LISTED + 1))
        return listed if len(listed) <= LISTED else []
