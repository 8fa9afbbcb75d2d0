"""The first search of a newcomer beside a plain CNN of ten lines, on the same images.

    python -m benchmarks.first_search [--config FILE] [--seeds 3] [--cnn-only] [--json]

The CNN has two 3×3 convolutions with batch norm and pooling, and one hidden layer. It is trained
with each learning rate that is given, on one core, in the epochs of the configuration or in six,
whichever are more, and otherwise by its protocol. Then the search runs as `make search` does, in a
store of its own, and of what it found only networks of no more multiply-accumulates count.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.timing import processor
from search.config import Config, load_config
from search.query import best
from search.store import open_store
from space import Architecture
from space.wording import duration
from trainers import Protocol, SearchData, Seeds, Training, open_data

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"
EPOCHS = 6


@dataclass(frozen=True)
class CnnRun:
    """A training of the CNN: its settings, accuracy after the last epoch, and CPU seconds."""

    learning_rate: float
    seed: int
    accuracy: float
    seconds: float


@dataclass(frozen=True)
class SearchRun:
    """A search: wall seconds, trials that were complete, and the best within the CNN's MACs.

    The best of all, whatever it costs, is beside it.
    """

    seconds: float
    complete: int
    architecture_id: str
    name: str
    accuracy: float
    params: int
    macs: int
    best_of_all: float


def cnn(channels: int, size: int, classes: int) -> nn.Sequential:
    """Images (batch, channels, size, size) to logits; on 28×28 images 220k params."""
    return nn.Sequential(
        *(nn.Conv2d(channels, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        *(nn.Linear(64 * (size // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, classes)),
    )


def macs_of(model: nn.Module, channels: int, size: int) -> int:
    """Multiply-accumulates for one image, as torch counts them."""
    model = model.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, channels, size, size))
    return int(counter.get_total_flops()) // 2


def train_cnn(data: SearchData, protocol: Protocol, some: Architecture, seed: int) -> CnnRun:
    """Train it by the protocol on one core; the architecture says what images are like."""
    seeds = Seeds(initialisation=seed, data_order=seed)
    found = data.description
    training = Training(
        some,
        protocol,
        data,
        seeds=seeds,
        build=lambda architecture, rate: cnn(found.channels, found.height, found.classes),
    )
    begun = time.process_time()
    while not training.done:
        last = training.run_epoch()
    seconds = time.process_time() - begun
    return CnnRun(protocol.learning_rate, seed, last.validation_accuracy, seconds)


def all_of_cnn(config: Config, rates: Sequence[float], seeds: int) -> list[CnnRun]:
    """The CNN with every learning rate and seed."""
    torch.set_num_threads(1)
    some = next(config.search_space.enumerate())
    epochs = max(EPOCHS, config.protocol.epochs)
    found = []
    for rate in rates:
        changed = config.protocol.to_dict() | {"learning_rate": rate, "epochs": epochs}
        protocol = Protocol.from_dict(changed)
        data = open_data(config.data, protocol)
        found += [train_cnn(data, protocol, some, seed) for seed in range(seeds)]
    return found


def search(path: Path, config: Config, most_macs: int) -> SearchRun:
    """Run the configuration in a store of its own, as `make search` does."""
    with TemporaryDirectory() as folder:
        store = f"{folder}/first.db"
        command = [sys.executable, "-m", "search", "run", str(path), "--store", store]
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--set", f"checkpoints={folder}/checkpoints"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - begun
        with open_store(store, create=False) as opened:
            where = "state = complete"
            rows = best(opened, study=config.study, where=where, top=None)
            within = best(opened, study=config.study, where=f"{where} and macs <= {most_macs}")
    if not within:
        sys.exit(f"no network of at most {most_macs:,} multiply-accumulates was trained to its end")
    first = within[0]
    return SearchRun(
        seconds,
        len(rows),
        first.architecture_id,
        first.operators,
        first.accuracy or 0.0,
        first.params,
        first.macs,
        rows[0].accuracy or 0.0,
    )


def show(runs: Sequence[CnnRun], params: int, macs: int, found: SearchRun | None) -> str:
    """A row for each learning rate of the CNN, its seeds beside it, and one for the search."""
    rows = []
    for rate in dict.fromkeys(run.learning_rate for run in runs):
        own = [run for run in runs if run.learning_rate == rate]
        each = ", ".join(f"{100 * run.accuracy:.2f}" for run in own)
        seconds = duration(sum(run.seconds for run in own) / len(own))
        rows.append([f"CNN, rate {rate:g}", each, f"{params:,}", f"{macs:,}", seconds])
    if found is not None:
        name = f"best of the search: {found.name}"
        figures = [f"{100 * found.accuracy:.2f}", f"{found.params:,}", f"{found.macs:,}"]
        rows.append([name, *figures, duration(found.seconds)])
    header = ["network", "accuracy, %", "params", "MACs", "seconds"]
    return markdown_table(header, rows)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=CONFIG, help="of the search")
    parser.add_argument(
        "--rates", type=above_zero, nargs="+", default=[2e-3, 5e-3, 1e-2], help="of the CNN"
    )
    parser.add_argument("--seeds", type=at_least(1), default=3, help="of the CNN")
    parser.add_argument("--cnn-only", action="store_true", help="leave the search out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Train, search and print; see the module's text."""
    options = parse(arguments)
    config = load_config(options.config)
    image, classes = config.search_space.input, config.search_space.classes
    if image.height != image.width:
        sys.exit(f"the CNN takes square images; {options.config} has {image.height}×{image.width}")
    model = cnn(image.channels, image.height, classes)
    params = sum(parameter.numel() for parameter in model.parameters())
    macs = macs_of(model, image.channels, image.height)
    runs = all_of_cnn(config, options.rates, options.seeds)
    found = None if options.cnn_only else search(options.config, config, macs)
    if options.json:
        each = {"cnn": [asdict(run) for run in runs], "params": params, "macs": macs}
        print(json.dumps(each | {"search": asdict(found) if found else None}, indent=2))
        return
    where = f"{processor()}, {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}"
    seconds = "CPU seconds of the CNN, wall seconds of the search"
    print(f"validation accuracy of every seed; {seconds}; {where}\n")
    print(show(runs, params, macs, found))
    if found is not None:
        print(
            f"\n{found.complete} trials were complete; the best of all has {found.best_of_all:.2%}"
        )


if __name__ == "__main__":
    main()
