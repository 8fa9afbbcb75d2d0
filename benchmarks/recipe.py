"""The sweep behind the quickstart's recipe: changes of it, in every block, with every operator.

    python -m benchmarks.recipe [--recipes NAME ...] [--operators NAME ...] [--seeds 1] [--json]

The networks are those of the paired comparison that the quickstart begins with, in each of the
three blocks, so that a recipe is judged by what it does for all operators and not for one. Every
training has one core. A recipe is what the configuration has, with the named change.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, field, replace
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
from space import BLOCK_TYPES, Architecture, Stem
from space.architecture import LAYER_SCALE, BlockType
from space.design.paired_points import PAIRED
from space.errors import InputError
from trainers import DataConfig, Protocol, Seeds, Training, open_data

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


@dataclass(frozen=True)
class Change:
    """What a recipe has otherwise than the configuration.

    Attributes:
        protocol: fields of the protocol. network: fields of the architecture.
        blocks: those in which it can make a difference.
    """

    protocol: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    blocks: Sequence[BlockType] = BLOCK_TYPES


RECIPES: dict[str, Change] = {
    "as it is": Change(),
    "rate 0.01": Change({"learning_rate": 0.01}),
    "rate 0.02": Change({"learning_rate": 0.02}),
    "rate to 0.002": Change({"minimum_learning_rate": 0.002}),
    "mirrors": Change({"augmentation": {"flip": 0.5}}),
    "crops": Change({"augmentation": {"flip": 0.0, "crop_padding": 1}}),
    "batch 128": Change({"batch_size": 128}),
    "decay 0.2": Change({"weight_decay": 0.2}),
    "no smoothing": Change({"label_smoothing": 0.0}),
    "no average": Change({"ema_decay": None}),
    "published weights": Change({"weight_init": "published"}),
    "layer scale 1e-6": Change(network={"layer_scale": LAYER_SCALE}, blocks=("convnext",)),
    "stem of patches": Change(network={"stem": Stem(4, "patch")}),
    "stem that overlaps": Change(network={"stem": Stem(4, "overlap")}),
    "14×14 tokens": Change(network={"stem": Stem(2, "pool")}),
}
"""Changes of what the search begins with: pooled 4×4 patches, and a layer scale of 1."""


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


def tasks(
    config: Config, recipes: Sequence[str], seeds: int, operators: Sequence[str] | None = None
) -> Iterator[Task]:
    """Every recipe with every block, operator and seed.

    Args:
        config: of the first search. recipes: names. seeds: trainings of each network.
        operators: those of the paired comparison that are trained; None for all.

    Raises:
        InputError: an operator that the comparison does not have.
    """
    points = _pairs(config, operators)
    for recipe in recipes:
        change = RECIPES[recipe]
        protocol = Protocol.from_dict(config.protocol.to_dict() | dict(change.protocol))
        for block in change.blocks:
            for operator, point in points.items():
                begun = replace(point, block_type=block, layer_scale=1.0)
                network = replace(begun, **change.network)
                for seed in range(seeds):
                    yield Task(recipe, operator, seed, network, config.data, protocol)


def _pairs(config: Config, operators: Sequence[str] | None) -> dict[str, Architecture]:
    points = config.search_space.initial_points(["paired"], np.random.default_rng(0))
    found = {origin.removeprefix(PAIRED): point for origin, point in points}
    for name in operators or ():
        if name not in found:
            message = f"{name!r} is not in the paired comparison; there are: {', '.join(found)}"
            raise InputError.of("operators", message)
    return {name: point for name, point in found.items() if operators is None or name in operators}


def train(task: Task) -> Trained:
    """Train one on one core."""
    torch.set_num_threads(1)
    seeds = Seeds(initialisation=task.seed, data_order=task.seed)
    data = open_data(task.data, task.protocol)
    training = Training(task.architecture, task.protocol, data, seeds=seeds)
    while not training.done:
        last = training.run_epoch()
    block = task.architecture.block_type
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
        blocks = [[t.accuracy for t in own if t.block == block] for block in BLOCK_TYPES]
        off = [t.accuracy - base[key] for t in own if (key := _key(t)) in base]
        cells = [f"{100 * mean(each):.2f}" if each else "–" for each in blocks]
        rows.append([recipe, *cells, _difference(off) if recipe != "as it is" else "–"])
    return markdown_table(["recipe", *BLOCK_TYPES, "difference ± standard error (n)"], rows)


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
    parser.add_argument("--operators", nargs="+", metavar="NAME", help="all if left out")
    parser.add_argument("--seeds", type=at_least(1), default=1, help="trainings of each network")
    parser.add_argument("--processes", type=at_least(1), default=2, help="at the same time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train and print; see the module's text."""
    options = parse(arguments)
    config = load_config(options.config)
    try:
        wanted = list(tasks(config, options.recipes, options.seeds, options.operators))
    except InputError as error:
        sys.exit(f"error: {error}")
    found = sweep(wanted, options.processes)
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
        return
    where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    operators = ", ".join(dict.fromkeys(each.operator for each in found))
    print(f"validation accuracy in %, mean over the operators ({operators}); {where}\n")
    print(show(found))


if __name__ == "__main__":
    main()
