"""Architectures costed per second: fvcore, torch's FlopCounterMode, and ours, singly and in batch.

    python -m benchmarks.cost_model [--space FILE ...] [--json]

All count the same random architectures of a space, in one process, on one core. The spaces are one
where parts repeat, one of 10¹³ networks, and one over every type of mixer, where few parts repeat.
A time is CPU time of the process without garbage collection, so that a busy machine changes it
little. What is not timed: building the networks that both peers need, making the architectures,
encoding them.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.numbers import at_least
from benchmarks.peer_counters import PeerCounter, peer_counters
from benchmarks.timing import Row, clear_caches, machine, rates, show
from space import Architecture, DesignSpace, cost
from space.cost import memory
from space.design import CostTable

ROOT = Path(__file__).parents[1]
SPACES = tuple(
    str(ROOT / "configs" / "spaces" / f"{name}.yaml")
    for name in ("imagenet-tiny", "imagenet-wide", "every-cell")
)


def parsed(table: CostTable, codes: Any) -> list[Architecture]:
    """Architectures read from JSON, so that no two share an object."""
    return [Architecture.from_json(item.to_json()) for item in table.decode(codes)]


def peer_row(counter: PeerCounter, architectures: Sequence[Architecture], repeats: int) -> Row:
    """A counter that needs the network."""
    if counter.missing:
        return Row(counter.name, 0, note=counter.missing)
    networks = [counter.prepare(item) for item in architectures]
    counted: list[int] = []

    def run(repeat: int) -> None:
        counted[:] = [counter.count(network) for network in networks]

    found = rates(repeats, len(architectures), run)
    expected = [cost(item) for item in architectures]
    same = sum(a == b.macs - b.unseen_macs for a, b in zip(counted, expected, strict=True))
    agreeing = f"{same} of {len(counted)}"
    return Row(counter.name, len(architectures), *found, agreeing, counter.note)


def single_rows(groups: list[list[Architecture]]) -> list[Row]:
    """Ours, one architecture after the other; each repeat has architectures of its own."""
    count = len(groups[0])

    def run(repeat: int) -> None:
        for architecture in groups[repeat]:
            cost(architecture)

    first = rates(len(groups), count, run, before=clear_caches)
    clear_caches()
    run(0)
    later = rates(len(groups) - 1, count, lambda repeat: run(1 + repeat))
    return [
        Row("ours, singly, first sight", count, *first, note="nothing remembered at the start"),
        Row("ours, singly", count, *later, note="architectures not seen before, parts seen"),
    ]


def batch_row(table: CostTable, codes: Any, singles: list[Architecture], repeats: int) -> Row:
    """Ours, all at once, from codes; compared with ours singly."""
    table.costs(codes)
    found = rates(repeats, len(codes), lambda repeat: table.costs(codes))
    batch = table.costs(table.encode(singles))
    same = sum(
        (spent.params, spent.macs, spent.unseen_macs) == tuple(int(field[row]) for field in batch)
        for row, spent in enumerate(map(cost, singles))
    )
    agreeing = f"{same} of {len(singles)}"
    return Row("ours, in batch", len(codes), *found, agreeing, "from codes, tables filled")


def memory_rows(
    table: CostTable, codes: Any, singles: list[Architecture], repeats: int
) -> list[Row]:
    """Activation memory, which no peer counts, singly and in batch."""
    table.memory(codes)
    single = rates(repeats, len(singles), lambda repeat: [memory(item) for item in singles])
    batch = rates(repeats, len(codes), lambda repeat: table.memory(codes))
    found = table.memory(table.encode(singles))
    same = sum(
        astuple(memory(item)) == tuple(int(field[row]) for field in found)
        for row, item in enumerate(singles)
    )
    return [
        Row("memory, singly", len(singles), *single, note="parts seen"),
        Row("memory, in batch", len(codes), *batch, f"{same} of {len(singles)}", "from codes"),
    ]


def encode_row(table: CostTable, singles: list[Architecture], repeats: int) -> Row:
    """What it takes to turn architectures into codes, where they do not come as codes."""
    found = rates(repeats, len(singles), lambda repeat: table.encode(singles))
    return Row("(encoding for the batch)", len(singles), *found, note="objects to codes")


def measure(space: str, arguments: argparse.Namespace) -> list[Row]:
    """Every row of the table of one space."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(arguments.seed)
    table = CostTable(DesignSpace.from_yaml(space))
    singles = [
        parsed(table, table.draw(rng, arguments.singles)) for _ in range(arguments.repeats + 1)
    ]
    rows = single_rows(singles)
    peers = singles[0][: arguments.peers]
    counted = [peer_row(counter, peers, arguments.peer_repeats) for counter in peer_counters()]
    codes = table.draw(rng, arguments.batch)
    rows.append(batch_row(table, codes, singles[0], arguments.repeats))
    rows += memory_rows(table, codes, singles[0], arguments.repeats)
    return [*counted, *rows, encode_row(table, singles[0], arguments.repeats)]


def main(words: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost_model")
    parser.add_argument("--space", nargs="+", default=SPACES, help="space files")
    parser.add_argument("--seed", type=at_least(0), default=0)
    parser.add_argument(
        "--singles", type=at_least(1), default=5_000, help="architectures one by one"
    )
    parser.add_argument(
        "--batch", type=at_least(1), default=1_000_000, help="architectures in batch"
    )
    parser.add_argument("--repeats", type=at_least(1), default=7, help="repeats of ours")
    parser.add_argument("--peers", type=at_least(1), default=6, help="architectures for the peers")
    parser.add_argument("--peer-repeats", type=at_least(1), default=3)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(words)
    found = {space: measure(space, arguments) for space in arguments.space}
    if arguments.json:
        spaces = {space: [asdict(row) for row in rows] for space, rows in found.items()}
        told = {"machine": machine(), "seed": arguments.seed, "spaces": spaces}
        print(json.dumps(told, indent=2))
        return
    for space, rows in found.items():
        show(rows, f"space {Path(space).name}, seed {arguments.seed}")


if __name__ == "__main__":
    main()
