"""Uniform drawing of feasible architectures where few points of a space are feasible."""

import itertools
from collections.abc import Sequence

import numpy as np

from space.architecture import Architecture
from space.design.chain import Chain
from space.design.enumeration import enumerate_stages
from space.design.frontier import Frontier
from space.design.grid import Grid

RESOLUTIONS = (160**2, 480**2)
"""Cells of the grids, whatever the number of quantities."""
PROBES = 64
LISTED = 20_000
"""Feasible points up to which they are listed where no grid serves."""


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
        grid = self._grids[min(place, len(ways) - 1)]
        rows = grid.draw(rng)
        if rows is None:
            return None
        tables = zip(rows, grid.chain.tables, strict=True)
        return grid.chain.architecture(
            tuple(by_node[node].draw(row, rng) for (node, row), by_node in tables)
        )

    def _list(self) -> list[Architecture]:
        """All feasible points, or none of them if they are many."""
        points = (
            chain.architecture(stages)
            for chain in self._chains
            for stages in enumerate_stages(chain)
        )
        listed = list(itertools.islice(points, LISTED + 1))
        return listed if len(listed) <= LISTED else []
