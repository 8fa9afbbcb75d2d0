"""What a no-op trial costs: through our runner and store, and through a plain script.

    python -m benchmarks.overhead [--history 0 10000] [--searchers random evolution] [--json]

The plain script is Ray Tune with OptunaSearch and Optuna's SQLite storage. Both run one after the
other on the same machine, on a private Ray, two trials at a time, in workers that are used again.
The history is made up beforehand, through the interface of each.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.markdown import markdown_table
from benchmarks.no_op.figures import Overhead
from benchmarks.numbers import at_least
from benchmarks.timing import processor
from search.searchers import SEARCHERS

QUICK_SEARCHERS = [name for name in ("random", "evolution", "surrogate") if name in SEARCHERS]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--history", type=at_least(0), nargs="+", default=[0, 10_000], help="trials before"
    )
    parser.add_argument("--trials", type=at_least(1), default=200, help="timed ones")
    parser.add_argument("--searchers", nargs="+", choices=SEARCHERS, default=QUICK_SEARCHERS)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain script out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def measured(options: argparse.Namespace) -> Iterator[Overhead]:
    """One after the other; what is under way is said on stderr."""
    from benchmarks.no_op import ours, plain  # they import Ray, which --help need not wait for

    for history in options.history:
        for searcher in options.searchers:
            yield _in_folder(
                f"{searcher}, {history:,} trials before",
                lambda folder, s=searcher, h=history: ours.measure(folder, s, h, options.trials),  # type: ignore[misc]
            )
        if not options.no_plain:
            yield _in_folder(
                f"plain script, {history:,} trials before",
                lambda folder, h=history: plain.measure(folder, h, options.trials),  # type: ignore[misc]
            )


def _in_folder(said: str, measure: Callable[[Path], Overhead]) -> Overhead:
    print(f"{said} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


def show(rows: list[Overhead]) -> str:
    """A table of milliseconds."""
    header = ["search", "before", "ms / trial", "median gap", "p95 gap"]
    header += ["searcher", "store", "rest", "start, s"]
    cells = [
        [
            row.name,
            f"{row.history:,}",
            *(f"{value:.1f}" for value in (row.each, row.median, row.p95)),
            *(f"{row.shares[share]:.1f}" for share in ("searcher", "store", "rest")),
            f"{row.start:.1f}",
        ]
        for row in rows
    ]
    return markdown_table(header, cells)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's text."""
    options = parse(arguments)
    rows = list(measured(options))
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
        print(f"{options.trials} no-op trials; {where}\n\n{show(rows)}")


if __name__ == "__main__":
    main()
