"""Trains the architectures of a small space and writes a tabular benchmark.

    python -m benchmarks.make_table [fashion-operators] [--workers 2] [--device cuda] [--limit N]
    python -m benchmarks.make_table --variant longer       # and then --write-only

Every finished training is written to the journal at once; a killed command goes on where it was.
The table itself, a Parquet file, is written at the end, and by --write-only from what is there.
What the table holds already is not trained again, so a table may be finished on another machine.
The figures of the data card beside the table are written with it.

With --variant some of the architectures are trained by another protocol, such as longer, into a
file of its own beside the table: how well the table's order is that of longer trainings stands in
the card.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import Future, as_completed
from dataclasses import replace
from itertools import islice
from pathlib import Path

from benchmarks.numbers import at_least
from benchmarks.parallel import processes
from benchmarks.progress import bar_on_stderr
from benchmarks.table.card import write_figures
from benchmarks.table.journal import Journal
from benchmarks.table.measure import Measured, measure
from benchmarks.table.plan import EveryTypeFirst, Planned
from benchmarks.table.read import shipped_table, variant_table
from benchmarks.table.resumed import trainings_of
from benchmarks.table.spec import FASHION_TABLE, TABLES, TableSpec
from benchmarks.table.write import write_table
from space.errors import InputError


def train(wanted: list[Planned], spec: TableSpec, device: str, workers: int) -> Iterator[Measured]:
    """Train in processes of one thread each, and yield as they finish."""
    with processes(workers) as pool:
        running: list[Future[Measured]] = [
            pool.submit(measure, architecture, seed, spec, device) for architecture, seed in wanted
        ]
        try:
            for future in as_completed(running):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def train_missing(
    have: list[Measured], journal: Journal, spec: TableSpec, options: argparse.Namespace
) -> None:
    """Train what is not there yet, with a bar on stderr."""
    done = {(measured.architecture_id, measured.seed) for measured in have}
    plan = list(islice(spec.trainings(), options.limit))
    wanted = [(a, seed) for a, seed in plan if (a.id, seed) not in done]
    with bar_on_stderr() as progress:
        bar = progress.add_task("trainings", total=len(plan), completed=len(plan) - len(wanted))
        for measured in train(wanted, spec, options.device, options.workers):
            journal.append(measured)
            progress.advance(bar)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.make_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "name", nargs="?", choices=TABLES, default=FASHION_TABLE.name, help="which table"
    )
    parser.add_argument("--workers", type=at_least(1), default=2, help="trainings at a time")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--limit", type=at_least(1), help="the first so many trainings only")
    parser.add_argument(
        "--repeated", type=at_least(0), help="of fashion-cells: architectures with three seeds"
    )
    parser.add_argument("--journal", type=Path, help="the working file")
    parser.add_argument("--table", type=Path, help="the file to write")
    parser.add_argument("--card", type=Path, help="the data card to fill")
    parser.add_argument("--variant", help="some of the networks by another protocol: longer")
    parser.add_argument("--write-only", action="store_true", help="train nothing more")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None, spec: TableSpec | None = None) -> None:
    """Train what the journal lacks and write the table; see the module's text.

    Args:
        arguments: of the command line.
        spec: of a table that does not come with the project.
    """
    options = parse(arguments)
    spec = _changed(TABLES[options.name] if spec is None else spec, options)
    table = options.table or shipped_table(spec.name)
    path = table if spec.variant is None else variant_table(table, spec.variant)
    protocol = spec.bound_protocol()
    journal = Journal(options.journal or Path(f"{spec.name}.jsonl"), protocol.hash)
    in_table = trainings_of(path, protocol.hash)
    if not options.write_only:
        train_missing([*in_table, *journal.read()], journal, spec, options)
    write_table(path, [*in_table, *journal.read()], spec, protocol)
    write_figures(options.card or spec.card, table)


def _changed(spec: TableSpec, options: argparse.Namespace) -> TableSpec:
    """What the table is of, as the command line has it.

    Raises:
        InputError: the table has no such variant, or it repeats every architecture.
    """
    if options.repeated is not None:
        if not isinstance(spec.plan, EveryTypeFirst):
            raise InputError.of("--repeated", f"{spec.name} has every seed of every architecture")
        spec = replace(spec, plan=EveryTypeFirst(options.repeated))
    return spec if options.variant is None else spec.as_variant(options.variant)


if __name__ == "__main__":
    main()
