"""What a no-op trial costs: through our runner and store, and through a plain script.

    python -m benchmarks.overhead [--history 0 10000] [--searchers random evolution] [--json]

The plain script is Ray Tune with OptunaSearch and Optuna's SQLite storage. They take turns, round
after round, on the same machine, each on a private Ray, two trials at a time, in workers that are
used again. The history is made up beforehand, through the interface of each, and every round
begins with it.
"""

import argparse
import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.markdown import markdown_table
from benchmarks.no_op.figures import PLAIN, Overhead, Rounds, over_rounds
from benchmarks.numbers import at_least
from benchmarks.progress import bar_on_stderr
from benchmarks.timing import processor
from search.searchers import SEARCHERS
from space.wording import count

if TYPE_CHECKING:
    from benchmarks.no_op.methods import TimedSearch

QUICK_SEARCHERS = ["random", "evolution", "surrogate"]


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
    parser.add_argument("--trials", type=at_least(1), default=400, help="timed ones in a round")
    parser.add_argument("--rounds", type=at_least(1), default=3, help="turns of each")
    names = SEARCHERS.names
    parser.add_argument("--searchers", nargs="+", choices=names, default=QUICK_SEARCHERS)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain script out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def measured(options: argparse.Namespace) -> list[Rounds]:
    """All rounds of all searches; what is under way is said on stderr."""
    from benchmarks.no_op.methods import own, plain_script  # Ray, which --help need not wait for

    methods = []
    for history in dict.fromkeys(options.history):
        searchers = dict.fromkeys(options.searchers)
        methods += [own(searcher, history, options.trials) for searcher in searchers]
        methods += [] if options.no_plain else [plain_script(history, options.trials)]
    found: dict[TimedSearch, list[Overhead]] = {method: [] for method in methods}
    with TemporaryDirectory() as folder, bar_on_stderr() as progress:
        bar = progress.add_task("histories", total=len(methods))
        for method in methods:
            method.prepare(Path(folder))
            progress.advance(bar)
        bar = progress.add_task("rounds", total=len(methods) * options.rounds)
        for _ in range(options.rounds):
            for method in methods:
                found[method].append(method.measure(Path(folder)))
                progress.advance(bar)
    plain = {method.history: rows for method, rows in found.items() if method.name == PLAIN}
    return [over_rounds(rows, plain.get(method.history, ())) for method, rows in found.items()]


def show(found: list[Rounds]) -> str:
    """A table of milliseconds, medians of the rounds."""
    header = ["search", "before", "ms / trial", "times less", "median gap", "p95 gap"]
    header += ["searcher", "store", "rest", "start, s"]
    return markdown_table(header, [_cells(each) for each in found])


def _cells(each: Rounds) -> list[str]:
    rows = each.rounds
    figures = [[row.median for row in rows], [row.p95 for row in rows]]
    figures += [[row.shares[share] for row in rows] for share in ("searcher", "store", "rest")]
    figures += [[row.start for row in rows]]
    less = "" if each.times_less is None or each.name == PLAIN else str(each.times_less)
    medians = [f"{median(figure):.1f}" for figure in figures]
    return [each.name, f"{each.history:,}", str(each.each), less, *medians]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's text."""
    options = parse(arguments)
    found = measured(options)
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
        title = f"{options.trials} no-op trials, {count(options.rounds, 'round')}; {where}"
        print(f"{title}\n\n{show(found)}")


if __name__ == "__main__":
    main()
