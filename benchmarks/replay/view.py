"""What one run of a search sees of the table, and what is true of it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.table.read import TabularBenchmark, Training
from search.objectives import hypervolume


@dataclass(frozen=True)
class View:
    """The table as run number `seed` sees it.

    Where an architecture has several trainings, a run sees one of them, another run another one;
    it is judged by the mean over all.
    """

    benchmark: TabularBenchmark
    seed: int

    def training(self, architecture_id: str) -> Training:
        """What the run sees."""
        trainings = self.benchmark.trainings(architecture_id)
        seeds = sorted(trainings)
        return trainings[seeds[self.seed % len(seeds)]]

    def regret(self, architecture_id: str) -> float:
        """How far its mean accuracy is below the best of the table, 0 to 1."""
        return self._best - self.benchmark.mean_accuracy(architecture_id)

    def hypervolume(self, architecture_ids: list[str]) -> float:
        """Of accuracy × log MACs, as a share of what the whole table has."""
        return self._volume(architecture_ids) / self._whole_volume

    def macs(self, architecture_id: str) -> float:
        """Their decimal logarithm."""
        return math.log10(self.benchmark.known[architecture_id]["macs"])

    @cached_property
    def _best(self) -> float:
        return max(map(self.benchmark.mean_accuracy, self.benchmark.architectures))

    @cached_property
    def _whole_volume(self) -> float:
        return self._volume(list(self.benchmark.architectures))

    @cached_property
    def _worst(self) -> tuple[float, float]:
        """The least accuracy and the most MACs of the table: the reference point."""
        names = self.benchmark.architectures
        return min(map(self.benchmark.mean_accuracy, names)), max(map(self.macs, names))

    def _volume(self, names: list[str]) -> float:
        points = [(self.benchmark.mean_accuracy(name), -self.macs(name)) for name in names]
        least, most = self._worst
        return hypervolume(np.reshape(points, (-1, 2)), (least, -most))
