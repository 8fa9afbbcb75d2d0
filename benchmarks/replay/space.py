"""The architectures that a table has, as a space to search."""

from collections.abc import Sequence

import numpy as np

from benchmarks.table.read import TabularBenchmark
from space import Architecture, Infeasible
from space.design.decisions import Choice, Choose


class TableSpace:
    """A design space without the architectures that the table lacks.

    While the table is being made these are many, drawn as a hash orders them; of the whole table
    this is the design space itself.
    """

    def __init__(self, benchmark: TabularBenchmark) -> None:
        self._space = benchmark.space()
        self._trained = benchmark.architectures
        self._points = list(benchmark.architectures.values())

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A trained architecture, uniformly drawn."""
        return self._points[rng.integers(len(self._points))]

    def neighbours(self, point: Architecture) -> list[Architecture]:
        """The trained architectures one move away."""
        return [near for near in self._space.neighbours(point) if near.id in self._trained]

    def key(self, point: Architecture) -> str:
        """The architecture's id."""
        return self._space.key(point)

    def encode(self, point: Architecture) -> Sequence[float]:
        """The design space's features."""
        return self._space.encode(point)

    def walk(self, choose: Choose) -> Architecture:
        """The architecture that a chain of choices leads to.

        Raises:
            Infeasible: the table does not have it.
        """
        point = self._space.walk(choose)
        if point.id not in self._trained:
            raise Infeasible(["the table does not have it"])
        return point

    def decisions(self, point: Architecture) -> list[Choice]:
        """The chain of choices that leads to an architecture."""
        return self._space.decisions(point)
