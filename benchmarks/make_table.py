"""Trains the architectures of a small space and writes the tabular benchmark.

    python -m benchmarks.make_table [--workers 2] [--device cuda] [--limit N]

Every finished training is written to the journal at once; a killed command goes on where it was.
The table itself, a Parquet file, is written at the end, and by --write-only from what is there.
"""

import argparse
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from benchmarks.table.journal import Journal
from benchmarks.table.measure import Measured, measure
from benchmarks.table.plan import planned
from benchmarks.table.terms import bound_protocol, table_space
from space import Architecture

FOLDER = Path(__file__).parent / "table"
TABLE = FOLDER / "fashion-cells.parquet"
JOURNAL = Path("fashion-cells.jsonl")


def train(wanted: list[tuple[Architecture, int]], device: str, workers: int) -> Iterator[Measured]:
    """Train in processes of one thread each, and yield as they finish."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        running: list[Future[Measured]] = [
            pool.submit(measure, architecture, seed, device) for architecture, seed in wanted
        ]
        try:
            for future in as_completed(running):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def main(arguments: list[str] | None = None) -> None:
    """Train what the journal lacks; see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.make_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workers", type=int, default=2, help="trainings at a time")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--limit", type=int, help="the first so many trainings only")
    parser.add_argument("--repeated", type=int, default=120, help="architectures with three seeds")
    parser.add_argument("--journal", type=Path, default=JOURNAL, help="the working file")
    options = parser.parse_args(arguments)
    journal = Journal(options.journal, bound_protocol().hash)
    done = {(measured.architecture_id, measured.seed) for measured in journal.read()}
    plan = list(islice(planned(table_space().enumerate(), options.repeated), options.limit))
    wanted = [(a, seed) for a, seed in plan if (a.id, seed) not in done]
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("trainings", total=len(plan), completed=len(plan) - len(wanted))
        for measured in train(wanted, options.device, options.workers):
            journal.append(measured)
            progress.advance(bar)


if __name__ == "__main__":
    main()
