"""Every searcher and scheduler, and peers, on the table of trained architectures.

    python -m benchmarks.searchers [--quick] [--methods 'random*' 'evolution*'] [--json]

Real proposals, simulated trainings: a trial costs the seconds that the table has for it, and
several workers run at the same time. A run sees one training of an architecture, and is judged by
the mean over its seeds. Peers that are not installed are named; pip install pyglove syne-tune to
have them. What takes long to propose (Optuna's Gaussian processes, two of Syne Tune's) takes
most of the time: --slow-seeds gives it fewer runs, or none, and the table says so.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.numbers import at_least
from benchmarks.progress import bar_on_stderr
from benchmarks.replay.catalogue import BASELINE, Entry, entries
from benchmarks.replay.record import AIMS, Record
from benchmarks.replay.run import Settings, replays
from benchmarks.replay.show import check_plot, plot, tables, write_plot
from benchmarks.replay.summary import summaries
from benchmarks.table.read import TABLE, TabularBenchmark
from benchmarks.timing import processor
from space.errors import InputError
from space.wording import count


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.searchers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--table", type=Path, default=TABLE, help="of trained architectures")
    parser.add_argument("--aims", nargs="+", choices=AIMS, default=list(AIMS), help="what for")
    parser.add_argument("--methods", nargs="+", default=["*"], help="names, with * and ?")
    parser.add_argument("--seeds", type=at_least(1), default=30, help="runs of every method")
    parser.add_argument("--slow-seeds", type=at_least(0), help="of the slow ones, if fewer")
    parser.add_argument(
        "--evaluations", type=at_least(1), default=200, help="budget, in mean trainings"
    )
    parser.add_argument(
        "--workers", type=at_least(1), default=4, help="simulated, at the same time"
    )
    parser.add_argument("--processes", type=at_least(1), default=2, help="real ones")
    parser.add_argument("--quick", action="store_true", help="3 seeds and 40 evaluations")
    parser.add_argument("--results", type=Path, help="keep finished runs here, and go on from it")
    parser.add_argument("--json", action="store_true", help="print summaries as JSON")
    parser.add_argument("--plot", type=Path, help="also draw, to an .html or .png file")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seeds, options.evaluations = 3, 40
    if options.slow_seeds is None:
        options.slow_seeds = options.seeds
    return options


def chosen(options: argparse.Namespace, benchmark: TabularBenchmark) -> list[Entry]:
    """The entries to run; says on stderr which do not run. The baseline is always among them.

    Raises:
        InputError: a pattern that no method has.
    """
    _refuse_unknown(options.methods)
    wanted = [e for e in entries() if e.aim in options.aims and _named(e, options.methods)]
    problems = {
        (entry.aim, entry.name): "--slow-seeds is 0"
        if entry.slow and not options.slow_seeds
        else entry.problem(benchmark)
        for entry in wanted
    }
    for (aim, name), problem in problems.items():
        if problem is not None:
            print(f"not run: {name} ({aim}): {problem}", file=sys.stderr)
    return [entry for entry in wanted if problems[entry.aim, entry.name] is None]


def _refuse_unknown(patterns: Sequence[str]) -> None:
    names = list(dict.fromkeys(entry.name for entry in entries()))
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            message = f"{pattern!r} is no method; there are: {', '.join(names)}"
            raise InputError.of("methods", message)


def _named(entry: Entry, patterns: Sequence[str]) -> bool:
    return entry.name == BASELINE or any(fnmatch(entry.name, each) for each in patterns)


def run(options: argparse.Namespace) -> list[Record]:
    """All runs, in the order of methods and seeds."""
    settings = Settings(options.table, options.evaluations, options.workers)
    methods = chosen(options, TabularBenchmark(options.table))
    wanted = [(e.aim, e.name, seed) for seed in range(options.seeds) for e in methods]
    slow = {(e.aim, e.name) for e in methods if e.slow}
    wanted = [one for one in wanted if one[2] < options.slow_seeds or one[:2] not in slow]
    found = []
    with bar_on_stderr() as progress:
        bar = progress.add_task("runs", total=len(wanted))
        for record in replays(settings, wanted, options.results, options.processes):
            found.append(record)
            progress.advance(bar)
    order = {(entry.aim, entry.name): place for place, entry in enumerate(methods)}
    return sorted(found, key=lambda record: (order[record.aim, record.method], record.seed))


def title(options: argparse.Namespace) -> str:
    """What was run, on what, when and where."""
    benchmark = TabularBenchmark(options.table)
    return (
        f"{len(benchmark.architectures):,} architectures, protocol "
        f"{benchmark.metadata['protocol_hash']}; {count(options.seeds, 'seed')}; budget: the "
        f"seconds of {count(options.evaluations, 'mean training')}; "
        f"{count(options.workers, 'simulated worker')}; {processor()}; {datetime.now(UTC):%Y-%m-%d}"
    )


def _finite(value: Any) -> Any:
    """Plain values with null for a cost that was never reached: JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if value == math.inf else value


def main(arguments: list[str] | None = None) -> None:
    """Run, and print; see the module's text."""
    options = parse(arguments)
    try:
        if options.plot:
            check_plot(options.plot)
        found = run(options)
        marks = [mark for mark in (50, 100, 200) if mark <= options.evaluations]
        summed = summaries(found, BASELINE, marks)
        if options.plot:
            write_plot(plot(found, options.evaluations), options.plot)
    except InputError as error:
        sys.exit(f"error: {error}")
    if options.json:
        print(json.dumps(_finite([asdict(each) for each in summed]), indent=2))
    else:
        print(f"{title(options)}\n\n{tables(summed)}")


if __name__ == "__main__":
    main()
