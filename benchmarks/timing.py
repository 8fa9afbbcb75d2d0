"""Timing on one core, and the table that is printed."""

import gc
import importlib
import os
import pkgutil
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch


@dataclass(frozen=True)
class Row:
    """One way of counting.

    Attributes:
        name: what counted.
        architectures: how many distinct ones in a repeat.
        per_second: median of the repeats, in architectures a second of CPU time.
        low, high: slowest and fastest repeat.
        agreeing: how many gave exactly the MACs of ours, of those compared.
        note: what the figure means, or why there is none.
    """

    name: str
    architectures: int
    per_second: float | None = None
    low: float | None = None
    high: float | None = None
    agreeing: str = ""
    note: str = ""


def clear_caches() -> None:
    """Drops all that the closed-form costs keep, to measure what the first architectures take."""
    package = importlib.import_module("space.cost")
    names = [each.name for each in pkgutil.iter_modules(package.__path__, "space.cost.")]
    for module in map(importlib.import_module, names):
        for kept in vars(module).values():
            if hasattr(kept, "cache_clear"):
                kept.cache_clear()


def rates(
    repeats: int,
    count: int,
    run: Callable[[int], object],
    before: Callable[[], object] = lambda: None,
) -> tuple[float, float, float]:
    """(median, slowest, fastest) architectures a second.

    Args:
        repeats: how often.
        count: architectures in a repeat.
        run: what is timed; it gets the number of the repeat.
        before: called before each repeat, not timed.
    """
    seconds = []
    gc.disable()  # as timeit does: a collection looks through all objects of the process
    try:
        for repeat in range(repeats):
            before()
            start = time.process_time()
            run(repeat)
            seconds.append(max(time.process_time() - start, 1e-9))
    finally:
        gc.enable()
    each = sorted(count / spent for spent in seconds)
    return median(each), each[0], each[-1]


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def machine() -> str:
    """The machine and the versions, in words."""
    return (
        f"{processor()}, {os.cpu_count()} cores (one used), "
        f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}"
    )


def show(rows: list[Row], title: str) -> None:
    """Prints the table."""
    base = next((row.per_second for row in rows if row.per_second), 1.0)
    print(f"{title}; {machine()}")
    print(f"{'':28}{'arch/s':>14}{'slowest … fastest':>28}{'ratio':>12}  agreement   note")
    for row in rows:
        if row.per_second is None:
            print(f"{row.name:28}{'–':>14}  {row.note}")
            continue
        spread = f"{row.low:,.1f} … {row.high:,.1f}"
        ratio = row.per_second / (base or 1.0)
        print(
            f"{row.name:28}{row.per_second:>14,.1f}{spread:>28}{ratio:>12,.0f}"
            f"  {row.agreeing:11} {row.note}"
        )
