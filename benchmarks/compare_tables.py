"""What a change of the rules did to the trained networks of a table.

    python -m benchmarks.compare_tables BEFORE.parquet [AFTER.parquet]

Networks are paired by everything but their layer scale, which is one of the rules. Each row says
how far the accuracies of a group moved, and how far it moved up or down in the order of all.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, rankdata

from benchmarks.markdown import markdown_table
from benchmarks.table.card import interval, rank_correlation
from benchmarks.table.read import TABLE, TabularBenchmark
from space import BLOCK_TYPES, Architecture
from space.architecture import LAYER_SCALE
from space.errors import InputError

HEADER = (
    "networks",
    "n",
    "median before",
    "median after",
    "shift in points [95%]",
    "places in 100 [95%]",
)
ALL, POSITION_TABLES = "all", "with tables of relative positions"
Pairs = NDArray[np.float64]
"""Accuracies before and after, (n, 2)."""


@dataclass(frozen=True)
class Compared:
    """Networks that both tables have, with their mean accuracies before and after, (n, 2)."""

    architectures: tuple[Architecture, ...]
    accuracies: Pairs

    @property
    def places(self) -> Pairs:
        """Places from the worst (0) to the best (100), before and after, (n, 2)."""
        ranks = rankdata(self.accuracies, axis=0)
        return np.asarray(100 * (ranks - 1) / max(len(ranks) - 1, 1), dtype=float)


def compare(before: TabularBenchmark, after: TabularBenchmark) -> Compared:
    """Pair the networks of two tables.

    Raises:
        InputError: fewer than three networks are in both.
    """
    old = {_paired_by(a): before.mean_accuracy(name) for name, a in before.architectures.items()}
    found = [
        (architecture, old[_paired_by(architecture)], after.mean_accuracy(name))
        for name, architecture in after.architectures.items()
        if _paired_by(architecture) in old
    ]
    if len(found) < 3:
        raise InputError.of("tables", f"{len(found)} networks are in both; it takes three")
    architectures, *columns = zip(*found, strict=True)
    return Compared(architectures, np.array(columns, dtype=float).T)


def _paired_by(architecture: Architecture) -> str:
    return replace(architecture, layer_scale=LAYER_SCALE).id


def groups(architecture: Architecture) -> list[str]:
    """The rows in which a network counts."""
    mixers = [mixer for stage in architecture.stages for mixer in stage.mixers]
    with_tables = [POSITION_TABLES] if any(mixer.position_bias for mixer in mixers) else []
    return [ALL, *with_tables, f"block type {architecture.block_type}"]


def rows(compared: Compared) -> list[tuple[str, ...]]:
    """A row for every group that has networks."""
    names = [groups(architecture) for architecture in compared.architectures]
    found = []
    for name in [ALL, POSITION_TABLES, *(f"block type {each}" for each in BLOCK_TYPES)]:
        chosen = np.array([name in own for own in names])
        if chosen.any():
            accuracies, places = compared.accuracies[chosen], compared.places[chosen]
            middle = [f"{100 * value:.2f}" for value in np.median(accuracies, axis=0)]
            moved = [_mean_difference(100 * accuracies, ".2f"), _mean_difference(places, ".1f")]
            found.append((name, f"{chosen.sum():,}", *middle, *moved))
    return found


def _mean_difference(pairs: Pairs, digits: str) -> str:
    differences = pairs[:, 1] - pairs[:, 0]
    mean = f"{differences.mean():+{digits}}"
    if len(differences) < 2 or np.ptp(differences) == 0:
        return mean
    found = bootstrap((differences,), np.mean, n_resamples=2000, method="percentile", rng=0)
    low, high = found.confidence_interval
    return f"{mean} [{low:+{digits}}, {high:+{digits}}]"


def main(arguments: list[str] | None = None) -> None:
    """Print the table; see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare_tables",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("before", type=Path, help="the table of the old rules")
    parser.add_argument("after", type=Path, nargs="?", default=TABLE, help="that of the new ones")
    options = parser.parse_args(arguments)
    try:
        compared = compare(TabularBenchmark(options.before), TabularBenchmark(options.after))
    except InputError as error:
        sys.exit(f"error: {error}")
    low, high = interval(compared.accuracies)
    print(markdown_table(HEADER, rows(compared)))
    print(
        f"\nRank correlation of before and after over {len(compared.architectures):,} networks: "
        f"{rank_correlation(*compared.accuracies.T):.3f} [{low:.3f}, {high:.3f}]"
    )


if __name__ == "__main__":
    main()
