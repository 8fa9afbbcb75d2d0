"""Runs many replays in processes, and keeps what is finished in a file."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.parallel import processes
from benchmarks.replay.catalogue import entries
from benchmarks.replay.record import Aim, Record, record
from benchmarks.replay.simulate import Simulator
from benchmarks.replay.view import View
from benchmarks.table.read import TabularBenchmark

Wanted = tuple[Aim, str, int]
"""Aim, method, and number of the run."""


@dataclass(frozen=True)
class Settings:
    """What all runs have in common.

    Attributes:
        table: the file.
        evaluations: the budget, in whole trainings of the table's mean cost.
        workers: simulated, how many trials run at the same time.
    """

    table: Path
    evaluations: int = 200
    workers: int = 4

    def stamp(self) -> dict[str, Any]:
        """What makes two runs comparable, as plain values."""
        benchmark = _table(self.table)
        return {
            "protocol_hash": benchmark.metadata["protocol_hash"],
            "architectures": len(benchmark.architectures),
            "evaluations": self.evaluations,
            "workers": self.workers,
        }


def replay(settings: Settings, wanted: Wanted) -> Record:
    """One run of one method."""
    aim, name, seed = wanted
    benchmark = _table(settings.table)
    view = View(benchmark, seed)
    entry = next(e for e in entries() if (e.aim, e.name) == (aim, name))
    budget = settings.evaluations * mean(map(benchmark.seconds, benchmark.architectures))
    simulator = Simulator(
        entry.make(benchmark, seed),
        view.training,
        workers=settings.workers,
        budget=budget,
        most_trials=50 * settings.evaluations,
    )
    return record(aim, name, view, simulator.run(), budget)


def replays(
    settings: Settings, wanted: Iterable[Wanted], results: Path | None, workers: int
) -> Iterator[Record]:
    """Every wanted run, as they finish; those that the file has come first.

    Args:
        results: finished runs are appended to it; None keeps nothing.
        workers: processes.
    """
    kept = _read(settings, results)
    missing = []
    for each in wanted:
        if each in kept:
            yield kept[each]
        else:
            missing.append(each)
    with processes(workers) as pool:
        try:
            for future in as_completed([pool.submit(replay, settings, each) for each in missing]):
                found = future.result()
                _append(settings, results, found)
                yield found
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _read(settings: Settings, results: Path | None) -> dict[Wanted, Record]:
    if results is None or not results.exists():
        return {}
    found, stamp = {}, settings.stamp()
    for line in results.read_text().splitlines():
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            continue  # half a line: the process was killed while it wrote
        if values["settings"] == stamp:
            one = Record.from_dict(values["record"])
            found[one.aim, one.method, one.seed] = one
    return found


def _append(settings: Settings, results: Path | None, found: Record) -> None:
    if results is not None:
        line = json.dumps({"settings": settings.stamp(), "record": asdict(found)})
        with results.open("a") as file:
            file.write("\n" + line)  # an unfinished line of before stays apart


@cache
def _table(path: Path) -> TabularBenchmark:
    """Read once in every process."""
    return TabularBenchmark(path)
