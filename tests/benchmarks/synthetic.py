"""A table that nobody trained: accuracies made up from the axes, for tests of the benchmarks."""

from pathlib import Path

import numpy as np

from benchmarks.table.measure import Measured
from benchmarks.table.spec import FASHION_TABLE, TableSpec
from benchmarks.table.write import write_table
from space import Architecture, cost
from trainers import DataConfig, Protocol

TINY = TableSpec(
    space_file=FASHION_TABLE.space_file,
    data=DataConfig(limit_train=200, limit_validation=100),
    protocol=Protocol(epochs=2, batch_size=50, warmup_epochs=0.5),
    variants={"longer": {"epochs": 8}},
)
"""Real images and trainings of a second."""

LONG = TableSpec(TINY.space_file, TINY.data, Protocol(epochs=9, batch_size=50, warmup_epochs=1))


def trainings(architectures: list[Architecture], seeds: tuple[int, ...] = (0,)) -> list[Measured]:
    """One for every architecture and seed; every axis value has an effect of its own."""
    rng = np.random.default_rng(7)
    effects: dict[str, float] = {}
    found = []
    for architecture in architectures:
        mixer = architecture.stages[0].mixers[0]
        stage = architecture.stages[0]
        words = [architecture.block_type, f"depth {stage.depth}", f"ratio {stage.mlp_ratio}"]
        words += [str(axis) for axis in mixer.type.values] + [f"kernel {mixer.kernel_size}"]
        good = 0.7 + sum(effects.setdefault(word, rng.normal(0, 0.03)) for word in words)
        found += [_training(architecture, seed, good, rng) for seed in seeds]
    return found


def _training(
    architecture: Architecture, seed: int, good: float, rng: np.random.Generator
) -> Measured:
    end = good + rng.normal(0, 0.005)
    curve = tuple(round(end * (1 - 0.5 * 0.5**epoch), 5) for epoch in range(1, 10))
    seconds = (0.1 + cost(architecture).macs / 1e7,) * 9
    return Measured(
        architecture.id, seed, curve, tuple(1 - a for a in curve), seconds, end - 0.01, "cpu"
    )


def write(path: Path, found: list[Measured] | None = None, spec: TableSpec = LONG) -> Path:
    """A table of the whole space, or of the given trainings."""
    measured = trainings(list(spec.space().enumerate())) if found is None else found
    write_table(path, measured, spec, spec.bound_protocol())
    return path
