"""The fidelity ledger of the project's table: what each proxy says of full training.

    python -m benchmarks.fidelity [--sample 300] [--train 100] [--json]

Proxies of the table's trainings are their earlier epochs and losses, sizes, memory and pace; with
--sample, zero-cost scores of so many untrained networks; with --train, trainings of so many on a
ninth of the images and on smaller ones. Then the table's epochs as proxies of the trainings that
are four times as long. The rank figures do not depend on how busy the machine is; costs do.

The test column is not read.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.markdown import markdown_table
from benchmarks.numbers import at_least
from benchmarks.progress import bar_on_stderr
from benchmarks.proxies.table_ledger import (
    fair_sample,
    finished,
    full_results,
    of_epochs,
    of_networks,
    of_some,
    survivors,
)
from benchmarks.table.read import TABLE, TabularBenchmark, longer_table
from search.fidelity import Ceiling, LedgerRow, Proxy, ceiling, ledger
from search.fidelity.cells import Cells, agreement_cell, ceiling_sentence, pick_cells, rank_cells
from space.errors import InputError

Ids = Sequence[str]


def zero_cost(benchmark: TabularBenchmark, ids: Ids, number: int) -> list[Proxy]:
    """Scores of a sample of untrained networks."""
    from benchmarks.proxies.untrained import embedded_batches, score_all
    from benchmarks.proxies.zero_cost import SCORES

    chosen = fair_sample(ids, number)
    scored = _with_bar(
        "zero-cost scores", number, partial(score_all, benchmark, chosen, embedded_batches())
    )
    return [
        of_some(
            benchmark,
            ids,
            name,
            {each.architecture_id: each.values[name] for each in scored},
            {each.architecture_id: each.seconds[name] for each in scored},
        )
        for name in SCORES
    ]


def cheap_trainings(benchmark: TabularBenchmark, ids: Ids, number: int) -> list[Proxy]:
    """Trainings of a sample on fewer images, and on fewer and smaller ones."""
    from benchmarks.proxies.cheap import EDGES, IMAGES, open_embedded, train_cheaply

    chosen, data, found = fair_sample(ids, number), open_embedded(benchmark), []
    for edge in EDGES:
        train = partial(train_cheaply, benchmark, chosen, data, edge)
        results = _with_bar(f"trainings at {edge}×{edge}", number, train)
        values, seconds = ({id_: each[i] for id_, each in results.items()} for i in (0, 1))
        name = f"{IMAGES:,} images at {edge}×{edge}"
        found.append(of_some(benchmark, ids, name, values, seconds))
    return found


def _with_bar(what: str, number: int, work: Callable[..., Any]) -> Any:
    with bar_on_stderr() as progress:
        task = progress.add_task(what, total=number)
        return work(advance=lambda: progress.advance(task))


def of_the_table(
    benchmark: TabularBenchmark, options: argparse.Namespace
) -> tuple[list[LedgerRow], Ceiling]:
    """The ledger of all its architectures."""
    ids = finished(benchmark)
    proxies = [*of_epochs(benchmark, ids), *of_networks(benchmark, ids)]
    proxies += cheap_trainings(benchmark, ids, options.train) if options.train else []
    proxies += zero_cost(benchmark, ids, options.sample) if options.sample else []
    results = full_results(benchmark, ids)
    return ledger(results, proxies, options.sets), ceiling(results.accuracy, results.again)


def of_longer(
    benchmark: TabularBenchmark, longer: TabularBenchmark, sets: int | None = None
) -> list[LedgerRow]:
    """The table's epochs as proxies of longer trainings of some of its architectures."""
    ids = [id_ for id_ in finished(longer) if id_ in set(finished(benchmark))]
    return ledger(full_results(longer, ids), of_epochs(benchmark, ids, longer), sets)


def of_survivors(benchmark: TabularBenchmark) -> list[LedgerRow]:
    """The rungs of successive halving, among those alone that it would have left."""
    ids = survivors(benchmark, finished(benchmark))
    rungs = [each for each in of_epochs(benchmark, ids) if each.name in _RUNGS]
    return ledger(full_results(benchmark, ids), rungs, sets=1)[: len(rungs)]  # not of the picks


_RUNGS = ("accuracy after 1 epoch", "accuracy after 3 epochs")


def _print(title: str, cells: Cells) -> None:
    rows = list(zip(*cells.values(), strict=True))
    print(f"\n**{title}**\n\n{markdown_table(list(cells), rows)}")


def show(benchmark: TabularBenchmark, options: argparse.Namespace) -> None:
    """Print all as Markdown, or as JSON."""
    rows, top = of_the_table(benchmark, options)
    path = longer_table(options.table)
    longer = TabularBenchmark(path) if path.is_file() else None
    longer_rows = [] if longer is None else of_longer(benchmark, longer, options.sets)
    left = of_survivors(benchmark)
    if options.json:
        parts = {"table": rows, "longer": longer_rows, "survivors": left}
        plain = {name: [_plain(row) for row in part] for name, part in parts.items()}
        print(json.dumps(plain | {"ceiling": asdict(top)}, indent=2, allow_nan=False))
        return
    full = f"full trainings of {benchmark.epochs} epochs"
    _print(f"Kendall's τ with {full}", rank_cells(rows))
    print(f"\n{ceiling_sentence(top)}")
    _print("What choosing by it costs: recall in %, regret in points", pick_cells(rows))
    if longer is not None:
        _print(f"Kendall's τ with trainings of {longer.epochs} epochs", rank_cells(longer_rows))
    said = "; ".join(f"{row.proxy} {agreement_cell(row.overall)}" for row in left)
    print(f"\nAmong the {left[0].n} that successive halving by thirds leaves: {said}")


def _plain(row: LedgerRow) -> dict[str, Any]:
    return asdict(row) | {"beats_size": row.beats_size}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fidelity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--table", type=Path, default=TABLE, help="the file to read")
    parser.add_argument(
        "--sample", type=at_least(0), default=0, help="networks that zero-cost scores are taken of"
    )
    parser.add_argument(
        "--train", type=at_least(0), default=0, help="networks that are trained cheaply"
    )
    parser.add_argument(
        "--sets", type=at_least(1), help="sets of candidates for recall and regret, if fewer"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's text."""
    options = parse(arguments)
    try:
        show(TabularBenchmark(options.table), options)
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
