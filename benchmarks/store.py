"""What a store of many trials answers, and what a trial's whole life costs in it.

    python -m benchmarks.store [--trials 1000 10000 100000] [--url postgresql://…] [--optuna 1000]
        [--runs 30] [--json]

Questions are asked in this process of a store that is open, with half of the studies of another
protocol, and their CPU time is told: the median and the 95 % quantile of --runs. A server's own
time is not in it, so for PostgreSQL the wall time stands beside. The life of a trial is: added,
started, six epochs, ended; Optuna's RDBStorage does the same on the same disk, with as many
decisions and intermediate values, on sizes up to --optuna.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import select

from benchmarks.filled_optuna import DECISIONS, VALUES, filled_study
from benchmarks.filled_store import EPOCHS, PROTOCOLS, fill, networks
from benchmarks.markdown import markdown_table
from benchmarks.numbers import at_least
from benchmarks.timing import processor
from search import query
from search.store import EpochRecord, ProcessIdentity, Store, open_store
from search.store.models import ArchitectureRow
from space import Architecture
from space.cost import cost

_OF_ONE = f"protocol = {PROTOCOLS[0]}"
_LIVES = 40


@dataclass(frozen=True, slots=True)
class Timing:
    """How long something took.

    Attributes:
        trials: in the store. what: was asked. where: kind of database, or Optuna's.
        cpu_ms, cpu_p95_ms: CPU time of this process, median and 95 % quantile.
        wall_ms: median wall time. runs: how many.
    """

    trials: int
    what: str
    where: str
    cpu_ms: float
    cpu_p95_ms: float
    wall_ms: float
    runs: int


def timed(trials: int, what: str, where: str, ask: Callable[[], object], runs: int) -> Timing:
    """Ask again and again; the first answer, which warms the caches, does not count."""
    ask()
    cpu, wall = [], []
    gc.disable()  # as timeit does
    try:
        for _ in range(runs):
            start, spent = time.perf_counter(), time.process_time()
            ask()
            cpu.append(1000 * (time.process_time() - spent))
            wall.append(1000 * (time.perf_counter() - start))
    finally:
        gc.enable()
    high = float(np.percentile(cpu, 95))
    return Timing(trials, what, where, float(np.median(cpu)), high, float(np.median(wall)), runs)


def questions(store: Store) -> dict[str, Callable[[], object]]:
    """What pages and commands ask."""
    some = query.best(store, where=_OF_ONE, top=1)[0].architecture_id
    return {
        "best, 10 rows": lambda: query.best(store, where=_OF_ONE),
        "best, with a filter": lambda: query.best(
            store, where=f"{_OF_ONE} and params < 28M and any dynamics = attention"
        ),
        "best of a study": lambda: query.best(store, study="study-0"),
        "best, by protocol": lambda: query.best_by_protocol(store),
        "one architecture": lambda: _one(store, some),
        "studies": store.studies.summaries,
        "states": lambda: query.state_counts(store),
        "newest trials": lambda: query.trial_summaries(store, limit=50),
        "failures": lambda: query.failures(store),
        "effects of a study": lambda: query.study_effects(store, ["study-0"]),
    }


def _one(store: Store, id_: str) -> object:
    trials = store.trials.of_architecture(store.architectures.get(id_).id)
    curves = store.epochs.of_trials([trial.id for trial in trials])
    return trials, curves, query.best(store, where=_OF_ONE, architecture=id_)


def lives(store: Store, trials: int, where: str, runs: int) -> Timing:
    """The whole life of trials, one after the other."""
    study = store.studies.get("study-1")
    process = ProcessIdentity.of()
    run = store.runs.begin(study.id, process=process, machine={"cpus": 2}, code_version="0")
    drawn = iter([(each, cost(each)) for each in _unknown(store, runs + 1, seed=1 + trials)])

    def live() -> None:
        network, price = next(drawn)
        trial = store.trials.add(
            study.id,
            run.id,
            network,
            params=price.params,
            macs=price.macs,
            origin="evolution",
            seeds={"initialisation": 0, "data_order": 0},
            decisions=[0] * 12,
        )
        store.trials.start(trial.id, run.id)
        for epoch in range(1, EPOCHS + 1):
            store.epochs.record(trial.id, EpochRecord(epoch, 1.0, 1.2, 0.5, 0.01, 2.5))
        store.trials.finish(trial.id, "complete")

    return timed(trials, "a trial's life", where, live, runs)


def _unknown(store: Store, count: int, seed: int) -> list[Architecture]:
    """So many networks that the store has not: of a million some are drawn again."""
    known = set(store.read(lambda connection: connection.scalars(select(ArchitectureRow.id)).all()))
    drawn = (each for each in networks(100 * count, seed) if each.id not in known)
    return [*islice(drawn, count)]


def optuna_lives(folder: Path, trials: int, runs: int) -> Timing:
    """The same through Optuna's RDBStorage, with as many decisions and reports."""
    from optuna.distributions import CategoricalDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import TrialState

    url = f"sqlite:///{folder / f'optuna-{trials}.db'}"
    study = filled_study(url, trials)
    storage, choices = RDBStorage(url), CategoricalDistribution(VALUES)
    study_id = storage.get_study_id_from_name(study.study_name)

    def live() -> None:
        trial = storage.create_new_trial(study_id)
        for name in DECISIONS:
            storage.set_trial_param(trial, name, 0, choices)
        for epoch in range(EPOCHS):
            storage.set_trial_intermediate_value(trial, epoch, 0.5)
        storage.set_trial_state_values(trial, TrialState.COMPLETE, [0.5])

    return timed(trials, "a trial's life", "Optuna, SQLite", live, runs)


def measured(options: argparse.Namespace) -> list[Timing]:
    """All of it; a store is built for each size, which takes longer than the questions."""
    found: list[Timing] = []
    with TemporaryDirectory() as folder:
        for trials in options.trials:
            url = options.url or str(Path(folder) / f"{trials}.db")
            where = "PostgreSQL" if options.url else "SQLite"
            with open_store(url, create=True) as store:
                fill(store, trials)
                for what, ask in questions(store).items():
                    found.append(timed(trials, what, where, ask, options.runs))
                found.append(lives(store, trials, where, _LIVES))
            if trials <= options.optuna:
                found.append(optuna_lives(Path(folder), trials, _LIVES))
    return found


def table(found: list[Timing]) -> str:
    """A line for each question and database, columns for the sizes."""
    sizes = list(dict.fromkeys(each.trials for each in found))
    lines = dict.fromkeys((each.what, each.where) for each in found)
    known = {(each.what, each.where, each.trials): each for each in found}
    header = [
        "CPU ms: median (95 %), wall median",
        "where",
        *(f"{size:,} trials" for size in sizes),
    ]
    rows = [
        [what, where, *(_cell(known.get((what, where, s))) for s in sizes)] for what, where in lines
    ]
    return markdown_table(header, rows)


def _cell(timing: Timing | None) -> str:
    if timing is None:
        return "–"
    return f"{timing.cpu_ms:,.1f} ({timing.cpu_p95_ms:,.1f}), {timing.wall_ms:,.1f}"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.store",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sizes = [1_000, 10_000, 100_000]
    parser.add_argument("--trials", type=at_least(50), nargs="+", default=sizes, help="sizes")
    parser.add_argument("--url", help="a server's empty database, for one size")
    parser.add_argument("--optuna", type=at_least(0), default=1_000, help="its largest size")
    parser.add_argument("--runs", type=at_least(3), default=30)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if options.url and len(options.trials) > 1:
        parser.error("--url: a server's database takes one size; give one by --trials")
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse(arguments)
    found = measured(options)
    if options.json:
        plain: list[dict[str, Any]] = [asdict(each) for each in found]
        print(json.dumps(plain, indent=1))
        return
    print(f"{datetime.now(UTC):%Y-%m-%d}, {processor()}")
    print(table(found))


if __name__ == "__main__":
    main()
