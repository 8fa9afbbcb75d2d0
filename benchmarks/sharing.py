"""What several small trainings at once gain on one device, as `gpus_per_trial: 0.25` has them.

    python -m benchmarks.sharing [--device cuda:0] [--dtype bfloat16] [--processes 1 2 4]
        [--network NAME …] [--batch N] [--seconds 5] [--tiny] [--json]

Each process trains a network of its own, of those of `benchmarks.training` for small images, on
images that lie on the device. They begin together and all train for as long; the table has the
images a second of all of them, and how many times those of one alone that is.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing import Manager
from threading import Barrier

import torch

from benchmarks.markdown import markdown_table
from benchmarks.numbers import above_zero, at_least
from benchmarks.operators.comparison import machine, parser_of
from benchmarks.operators.stopwatch import synchronise
from benchmarks.parallel import processes
from benchmarks.training import SMALL, TYPES, Setting, settings, training_step
from space.networks import build

_WARM = 3
"""Steps that are not counted, in which kernels are chosen and compiled."""
_UNWATCHED = 32
"""Steps that a training queues on a GPU before it waits for them, as `trainers.step_log` does."""
_PATIENCE = 300.0
"""Seconds for which a process waits for the others to be warm."""


@dataclass(frozen=True)
class Shared:
    """Trainings that shared a device.

    Attributes:
        network: of each of them. processes: how many. images_per_second: of all together.
    """

    network: str
    processes: int
    images_per_second: float


def trained(setting: Setting, device: str, dtype: str, seconds: float, together: Barrier) -> float:
    """Images a second of one of several, which begin together."""
    torch.set_num_threads(1)
    chosen, image = torch.device(device), setting.architecture.input
    shape = setting.batch, image.channels, image.height, image.width
    images = torch.randn(shape, device=chosen).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(setting.architecture.head.classes, (setting.batch,), device=chosen)
    network = build(setting.architecture, seed=0)
    step = training_step(network, images, labels, getattr(torch, dtype))
    for _ in range(_WARM):
        step()
    synchronise(chosen)
    at_once = _UNWATCHED if chosen.type == "cuda" else 1
    together.wait(_PATIENCE)
    begun, steps = time.perf_counter(), 0
    while not steps or time.perf_counter() - begun < seconds:
        for _ in range(at_once):
            step()
        synchronise(chosen)
        steps += at_once
    return setting.batch * steps / (time.perf_counter() - begun)


def shared(setting: Setting, count: int, device: str, dtype: str, seconds: float) -> Shared:
    """So many trainings of a network at once, each in a process of its own."""
    with Manager() as manager, processes(count) as pool:
        together = manager.Barrier(count)
        asked = [
            pool.submit(trained, setting, device, dtype, seconds, together) for _ in range(count)
        ]
        return Shared(setting.name, count, sum(each.result() for each in asked))


def table(rows: Sequence[Shared]) -> str:
    """A row a network and number of trainings."""
    alone = {row.network: row.images_per_second for row in rows if row.processes == 1}
    lines = []
    for row in rows:
        gain = f"{row.images_per_second / alone[row.network]:.2f}×" if row.network in alone else "–"
        lines.append([row.network, str(row.processes), f"{row.images_per_second:,.0f}", gain])
    return markdown_table(["network", "at once", "images/s of all", "of one alone"], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = parser_of("python -m benchmarks.sharing", __doc__, TYPES)
    parser.add_argument("--processes", nargs="+", type=at_least(1), default=[1, 2, 4])
    parser.add_argument("--network", nargs="*", help="names, or parts of them")
    parser.add_argument("--batch", type=at_least(1), help="images of a step")
    parser.add_argument("--seconds", type=above_zero, default=5.0, help="of each training")
    parser.add_argument("--tiny", action="store_true", help="small ones of a few channels")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    gpu = options.device.startswith("cuda")
    wanted = [name.lower() for name in options.network or [""]]
    every = settings(["small"], options.batch, gpu, options.tiny)
    chosen = [each for each in every if any(name in each.name.lower() for name in wanted)]
    if not chosen:
        parser.error(f"--network: none has such a name; there are {', '.join(SMALL)}")
    rows = []
    for setting in chosen:
        for count in options.processes:
            rows.append(shared(setting, count, options.device, options.dtype, options.seconds))
            found = rows[-1].images_per_second
            print(f"{setting.name}, {count} at once: {found:,.0f} images/s", file=sys.stderr)
    told = machine(torch.device(options.device))
    if options.json:
        print(json.dumps({"machine": told, "rows": [asdict(row) for row in rows]}))
        return
    print(f"{told}; {options.dtype}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
