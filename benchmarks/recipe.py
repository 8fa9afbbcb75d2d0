"""The sweep behind the quickstart's recipe: changes of it, in every block, with every operator.

    python -m benchmarks.recipe [--config FILE] [--recipes NAME ...] [--seeds 1] [--json]

The networks are those of the paired comparison that the quickstart begins with, in each of the
three blocks, so that a recipe is judged by what it does for all operators and not for one. Every
training has one core. A recipe is what the configuration has, with the named change.
"""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

from benchmarks.markdown import markdown_table
from benchmarks.numbers import at_least
from benchmarks.parallel import processes
from benchmarks.progress import bar_on_stderr
from benchmarks.timing import processor
from search.config import Config, load_config
from space import Architecture
from space.architecture import SCAFFOLDS
from space.design.paired_points import PAIRED
from trainers import DataConfig, Protocol, Seeds, Training, open_data

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"

RECIPES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "rate 0.01": {"learning_rate": 0.01},
    "rate 0.02": {"learning_rate": 0.02},
    "mirrors": {"augmentation": {"flip": 0.5}},
    "crops": {"augmentation": {"flip": 0.0, "crop_padding": 1}},
    "batch 128": {"batch_size": 128},
    "decay 0.2": {"weight_decay": 0.2},
    "no smoothing": {"label_smoothing": 0.0},
    "no average": {"ema_decay": None},
    "published weights": {"weight_init": "published"},
    "layer scale 1e-6": {},
}
"""Changes of the protocol; the last one is of the convnext block, which has 1 otherwise."""


@dataclass(frozen=True)
class Trained:
    """One training: its recipe, block, operator and seed, and the accuracy after the last epoch."""

    recipe: str
    block: str
    operator: str
    seed: int
    accuracy: float


@dataclass(frozen=True)
class Task:
    """A training to be made."""

    recipe: str
    operator: str
    seed: int
    architecture: Architecture
    data: DataConfig
    protocol: Protocol


def tasks(config: Config, recipes: Sequence[str], seeds: int) -> Iterator[Task]:
    """Every recipe with every block, operator and seed."""
    points = config.search_space.initial_points(["paired"], np.random.default_rng(0))
    for recipe in recipes:
        protocol = Protocol.from_dict(config.protocol.to_dict() | RECIPES[recipe])
        scale = 1e-6 if recipe == "layer scale 1e-6" else 1.0
        for block in SCAFFOLDS if recipe != "layer scale 1e-6" else ("convnext",):
            for origin, point in points:
                network = replace(point, scaffold=block, layer_scale=scale)
                operator = origin.removeprefix(PAIRED)
                for seed in range(seeds):
                    yield Task(recipe, operator, seed, network, config.data, protocol)


def train(task: Task) -> Trained:
    """Train one on one core."""
    torch.set_num_threads(1)
    seeds = Seeds(initialisation=task.seed, data_order=task.seed)
    data = open_data(task.data, task.protocol)
    training = Training(task.architecture, task.protocol, data, seeds=seeds)
    while not training.done:
        last = training.run_epoch()
    block = task.architecture.scaffold
    return Trained(task.recipe, block, task.operator, task.seed, last.validation_accuracy)


def sweep(wanted: Sequence[Task], workers: int) -> list[Trained]:
    """All trainings; how far they are is said on stderr."""
    found = []
    with processes(workers) as pool, bar_on_stderr() as progress:
        bar = progress.add_task("trainings", total=len(wanted))
        for future in as_completed([pool.submit(train, task) for task in wanted]):
            found.append(future.result())
            progress.advance(bar)
    return found


def show(found: Sequence[Trained]) -> str:
    """A row for each recipe: the mean over operators in every block, and of all of them.

    Beside it the mean difference to the configuration as it is, over pairs that are equal in all
    else, and its standard error.
    """
    base = {(t.block, t.operator, t.seed): t.accuracy for t in found if t.recipe == "as it is"}
    rows = []
    for recipe in dict.fromkeys(name for name in RECIPES if any(t.recipe == name for t in found)):
        own = [t for t in found if t.recipe == recipe]
        blocks = [[t.accuracy for t in own if t.block == block] for block in SCAFFOLDS]
        off = [t.accuracy - base[key] for t in own if (key := _key(t)) in base]
        cells = [f"{100 * mean(each):.2f}" if each else "–" for each in blocks]
        rows.append([recipe, *cells, _difference(off) if recipe != "as it is" else "–"])
    return markdown_table(["recipe", *SCAFFOLDS, "difference ± standard error (n)"], rows)


def _key(trained: Trained) -> tuple[str, str, int]:
    return trained.block, trained.operator, trained.seed


def _difference(off: Sequence[float]) -> str:
    if len(off) < 2:
        return "–"
    error = stdev(off) / len(off) ** 0.5
    return f"{100 * mean(off):+.2f} ± {100 * error:.2f} ({len(off)})"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="space, data and protocol")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--seeds", type=at_least(1), default=1, help="trainings of each network")
    parser.add_argument("--processes", type=at_least(1), default=2, help="at the same time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train and print; see the module's text."""
    options = parse(arguments)
    wanted = list(tasks(load_config(options.config), options.recipes, options.seeds))
    found = sweep(wanted, options.processes)
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    print(f"validation accuracy in %, mean over the operators; {where}\n")
    print(show(found))


if __name__ == "__main__":
    main()
