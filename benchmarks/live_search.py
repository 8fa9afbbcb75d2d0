"""Real searches at equal CPU seconds: evolution with inheritance, without it, and TPE.

    python -m benchmarks.live_search [--seconds 600] [--seeds 3] [--quick] [--json]

Every search is one process with one thread, and its CPU time counts: proposals, lifting of weights,
training, validation. All have the quickstart's space, images and protocol. At the end the best
network of each is trained from scratch, with seeds of its own, and read on the test split.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.live.methods import METHODS
from benchmarks.live.run import LiveRun, LiveSettings, run
from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.parallel import processes
from benchmarks.progress import bar_on_stderr
from benchmarks.timing import processor
from search.config import load_config

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="space, data and protocol")
    parser.add_argument("--seconds", type=above_zero, default=600, help="CPU seconds a search")
    parser.add_argument("--seeds", type=at_least(1), default=3, help="searches of every kind")
    parser.add_argument("--processes", type=at_least(1), default=2, help="at the same time")
    parser.add_argument("--quick", action="store_true", help="30 seconds and one seed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds, options.seeds = 30, 1
    return options


def searches(options: argparse.Namespace) -> list[LiveRun]:
    """All of them, by method and seed."""
    config = load_config(options.config)
    settings = LiveSettings(config.space, config.data, config.protocol, options.seconds)
    wanted = [(method, seed) for seed in range(options.seeds) for method in METHODS]
    found = []
    with processes(options.processes) as pool, bar_on_stderr() as progress:
        bar = progress.add_task("searches", total=len(wanted))
        for future in as_completed([pool.submit(run, settings, *each) for each in wanted]):
            found.append(future.result())
            progress.advance(bar)
    names = [method.name for method in METHODS]
    return sorted(found, key=lambda one: (names.index(one.method), one.seed))


def show(runs: Sequence[LiveRun], seconds: float) -> str:
    """A row for every method: the median, and every seed behind it."""
    header = ["search", *(f"best at {share:.0%} of the time" for share in (0.25, 0.5, 1.0))]
    header += ["trained again: validation", "test", "complete + pruned + failed", "inherited"]
    rows = []
    for method in METHODS:
        own = [each for each in runs if each.method == method.name]
        at = [[_best_at(one, share * seconds) for one in own] for share in (0.25, 0.5, 1.0)]
        kinds = ("complete", "pruned", "failed")
        rows.append(
            [
                method.name,
                *map(_spread, at),
                _spread([one.final_validation for one in own]),
                _spread([one.final_test for one in own]),
                " + ".join(f"{median(one.ends[kind] for one in own):.0f}" for kind in kinds),
                f"{median(one.inherited for one in own):.0f}",
            ]
        )
    return markdown_table(header, rows)


def _best_at(one: LiveRun, seconds: float) -> float | None:
    return next((best for spent, best in reversed(one.path) if spent <= seconds), None)


def _spread(values: Sequence[float | None]) -> str:
    found = [value for value in values if value is not None]
    if len(found) < len(values) or not found:
        return "–"
    each = ", ".join(f"{100 * value:.2f}" for value in found)
    return f"{100 * median(found):.2f} ({each})"


def main(arguments: list[str] | None = None) -> None:
    """Search and print; see the module's text."""
    options = parse(arguments)
    runs = searches(options)
    if options.json:
        print(json.dumps([asdict(each) for each in runs], indent=2))
        return
    said = f"{options.seconds:g} CPU seconds a search, {options.seeds} seeds; {processor()}"
    print(f"{said}; {datetime.now(UTC):%Y-%m-%d}; accuracies in %, median (every seed)\n")
    print(show(runs, options.seconds))


if __name__ == "__main__":
    main()
