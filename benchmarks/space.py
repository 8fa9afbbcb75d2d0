"""Counting a space exactly and drawing from it, beside a sampler that draws until one fits.

    python -m benchmarks.space [--space FILE] [--samples N] [--repeats N] [--json]

Without --space, the spaces are imagenet-tiny.yaml and imagenet-wide.yaml of configs/spaces, the
second one, of 10¹³ networks, twice: with limits of about Swin-T's size, and with so few
multiply-accumulates that one network in a million fits. Everything runs in one process, on one
core; a time is CPU time of the process, so that a busy machine changes it little. What is drawn is
a whole, checked `Architecture`, and repeats do not count.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np

from benchmarks.numbers import at_least
from benchmarks.timing import clear_caches
from space import Architecture, DesignSpace
from space.design import Limits
from space.input.plain_files import read_yaml

Outcome = TypeVar("Outcome")

FILES = Path(__file__).parents[1] / "configs" / "spaces"
DEFAULT = FILES / "imagenet-tiny.yaml"
IMAGENET: dict[str, Any] = read_yaml(FILES / "imagenet-wide.yaml")
LIMITS = ({"params": "30M", "macs": "4.5G"}, {"params": "30M", "macs": "0.65G"})


@dataclass(frozen=True)
class Figure:
    """A median with its spread.

    Attributes:
        median, low, high: over the repeats.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Figure":
        """The figure of some repeats."""
        return cls(median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:,.4g} ({self.low:,.4g} – {self.high:,.4g})"


@dataclass(frozen=True)
class Result:
    """What was measured of one space.

    Attributes:
        name, limits: the space.
        feasible, without_limits: number of networks, exact.
        count_seconds: to count the feasible ones, with all tables made anew.
        first_seconds: to read the space and draw the first network.
        per_second: feasible distinct networks a second of ours.
        rejection_per_second: the same of the rejection sampler.
        rejection_draws_per_second: its draws, feasible or not.
        rejection_met: feasible networks it met, and in how many draws, as text.
    """

    name: str
    limits: dict[str, int]
    feasible: int
    without_limits: int
    count_seconds: Figure
    first_seconds: Figure
    per_second: Figure
    rejection_per_second: Figure
    rejection_draws_per_second: Figure
    rejection_met: str


def timed(run: Callable[[], Outcome]) -> tuple[Outcome, float]:
    """What a call returns, and the seconds of CPU time that it took."""
    start = time.process_time()
    result = run()
    return result, max(time.process_time() - start, 1e-9)


def rejecting(
    open_space: DesignSpace, limits: Limits, rng: np.random.Generator, draws: int
) -> Iterator[Architecture]:
    """The rejection sampler: uniform over the whole space, and only what fits is kept."""
    for _ in range(draws):
        architecture = open_space.sample(rng)
        if not limits.violations(architecture):
            yield architecture


def measure(values: dict[str, Any], samples: int, repeats: int) -> Result:
    """Counts a space and draws from it.

    Args:
        values: the space, as in a file.
        samples: networks to draw in a repeat; the rejection sampler makes as many draws.
        repeats: how often everything is done.
    """
    counts, firsts, ours, theirs, draws = [], [], [], [], []
    open_space = DesignSpace.from_dict({**values, "limits": {}})
    feasible, met = 0, 0
    for repeat in range(repeats):
        clear_caches()
        fresh = DesignSpace.from_dict(values)
        feasible, seconds = timed(fresh.count)
        counts.append(seconds)
        rng = np.random.default_rng(repeat)
        space, seconds = timed(partial(_first, values, rng))
        firsts.append(seconds)
        ids, seconds = timed(partial(_drawn, space, rng, samples))
        ours.append(len(ids) / seconds)
        kept, seconds = timed(partial(_rejected, open_space, space.limits, rng, samples))
        theirs.append(len(kept) / seconds)
        draws.append(samples / seconds)
        met += len(kept)
    return Result(
        space.name,
        space.limits.to_dict(),
        feasible,
        open_space.size_hint(),
        Figure.of(counts),
        Figure.of(firsts),
        Figure.of(ours),
        Figure.of(theirs),
        Figure.of(draws),
        f"{met:,} in {repeats * samples:,} draws",
    )


def _drawn(space: DesignSpace, rng: np.random.Generator, samples: int) -> set[str]:
    return {space.sample(rng).id for _ in range(samples)}


def _rejected(space: DesignSpace, limits: Limits, rng: np.random.Generator, draws: int) -> set[str]:
    return {architecture.id for architecture in rejecting(space, limits, rng, draws)}


def _first(values: dict[str, Any], rng: np.random.Generator) -> DesignSpace:
    space = DesignSpace.from_dict(values)
    space.sample(rng)
    return space


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def print_result(result: Result) -> None:
    """A table for people."""
    limits = ", ".join(f"{name} ≤ {value:,}" for name, value in result.limits.items())
    share = result.feasible / result.without_limits
    expected = result.rejection_draws_per_second.median * share
    print(f"\n{result.name}  ({limits or 'no limits'})")
    print(f"  without limits                  {result.without_limits:,}")
    print(f"  feasible, counted exactly       {result.feasible:,}  (a share of {share:.3g})")
    print(f"  seconds to count                {result.count_seconds}")
    print(f"  seconds to the first network    {result.first_seconds}")
    print(f"  networks a second, ours         {result.per_second}")
    print(f"  networks a second, rejection    {result.rejection_per_second}")
    print(f"    it met {result.rejection_met}; its draws and that share make {expected:.3g}")


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.space",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--space", help="a space file, measured with its own limits")
    parser.add_argument("--samples", type=at_least(1), default=1000, help="networks in a repeat")
    parser.add_argument("--repeats", type=at_least(1), default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    spaces = (
        [read_yaml(options.space)]
        if options.space
        else [read_yaml(DEFAULT), *(IMAGENET | {"limits": limits} for limits in LIMITS)]
    )
    results = [measure(values, options.samples, options.repeats) for values in spaces]
    if options.json:
        print(json.dumps({"machine": machine(), "spaces": [asdict(r) for r in results]}, indent=2))
        return
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"median (least – most) of {options.repeats} repeats, CPU time")
    for result in results:
        print_result(result)


if __name__ == "__main__":
    main()
