"""`cost`: what a network, or the networks of a space, cost, each metric with its counter."""

from dataclasses import asdict
from typing import Any

import click
import numpy as np

from space.architecture import Architecture
from space.cli.commands import json_option, plugin_option, print_json, seed_option
from space.cli.output import stdout_console
from space.cli.subjects import Subject, quantities, read_subject
from space.cli.tables import print_table
from space.cost import cost, memory, paper_macs
from space.cost.network_cost import part_costs
from space.design import DesignSpace
from space.errors import InputError
from space.wording import short

COUNTERS = {
    "params": "trainable parameters; equal to those of the built network",
    "macs": (
        "multiply-accumulates of convolutions, linear maps and mixing sums as torch runs them: "
        "padding counts, norms and activations do not; papers print these as FLOPs"
    ),
    "torch_macs": "the part of macs that torch's FlopCounterMode sees of the plain operators",
    "paper_macs": (
        "the counter in the code of the paper's authors: norms, activations and pooling count, the "
        "sum over the neighbourhood of inhomogeneous weights does not"
    ),
    "training_bytes": "activations that autograd saves for one image in float32",
    "inference_bytes": "largest sum of activations alive at once, for one image in float32",
    "moved_bytes": "what the operations of a forward pass read and write, for one image in float32",
}
PAPER_USES = (
    "paper_macs: the paper's own figures come from its authors' counter; the FLOPs in their README "
    "lie 0.05 to 0.07 G above it"
)


@click.command("cost")
@click.argument("subject")
@click.option(
    "--samples",
    default=200,
    show_default=True,
    type=click.IntRange(2, 100_000),
    help="Of a space: how many networks to draw.",
)
@seed_option
@plugin_option
@json_option
def command(subject: str, samples: int, seed: int, plugins: tuple[str, ...], as_json: bool) -> None:
    """Print what SUBJECT costs: a network of the zoo, an architecture file, or a space file.

    \b
    Examples:
      python -m space cost dwnet_tiny
      python -m space cost my-network.json --json
      python -m space cost imagenet-tiny --samples 1000

    Every metric is told with its counter, and which of them the paper's own figures use. Of a
    space, the spread over feasible networks drawn uniformly is printed.
    """
    found = read_subject(subject, plugins)
    if isinstance(found.value, DesignSpace):
        _print_spread(found.value, samples, seed, as_json)
    elif isinstance(found.value, Architecture):
        _print_network(found, found.value, as_json)
    else:
        raise InputError.of(subject, "is a token mixer; its cost depends on the network around it")


def _print_network(subject: Subject, architecture: Architecture, as_json: bool) -> None:
    spent, parts = _metrics(architecture), part_costs(architecture)
    if as_json:
        print_json(
            {
                "name": subject.name,
                "id": architecture.id,
                "operators": architecture.name,
                "provenance": subject.entry.provenance if subject.entry else None,
                **spent,
                "counters": COUNTERS,
                "paper_uses": PAPER_USES,
                "parts": {
                    name: {"params": part.params, "macs": part.macs} for name, part in parts.items()
                },
            }
        )
        return
    headline = f"{subject.name}  {architecture.id}  {architecture.name}"
    stdout_console().print(headline, markup=False)
    print_table(
        "",
        ("metric", "value", "counter"),
        [
            (name, "–" if spent[name] is None else f"{spent[name]:,}", counter)
            for name, counter in COUNTERS.items()
        ],
        right=("value",),
        caption=f"The paper uses {PAPER_USES}.",
    )
    if spent["paper_macs"] is None:
        stdout_console().print(f"No paper_macs: {spent['paper_macs_reasons'][0]}", markup=False)
    rows = [(name, f"{part.params:,}", f"{part.macs:,}") for name, part in parts.items()]
    print_table("Parts", ("part", "params", "macs"), rows, right=("params", "macs"))


def _print_spread(space: DesignSpace, samples: int, seed: int, as_json: bool) -> None:
    rng = np.random.default_rng(seed)
    drawn = [quantities(space.sample(rng)) for _ in range(samples)]
    shares = {"least": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "most": 1.0}
    spread = {}
    for name in drawn[0]:
        numbers = sorted(each[name] for each in drawn)
        last = samples - 1
        spread[name] = {word: numbers[round(share * last)] for word, share in shares.items()}
    source = f"{samples:,} feasible networks drawn uniformly with seed {seed}"
    if as_json:
        counters = {name: COUNTERS[name] for name in spread}
        print_json({"space": space.name, "from": source, **spread, "counters": counters})
        return
    words = [word.replace("_", " ") for word in shares]
    rows = [(name, *map(short, row.values())) for name, row in spread.items()]
    print_table(f"{space.name}: {source}", ("metric", *words), rows, right=words)


def _metrics(architecture: Architecture) -> dict[str, Any]:
    """The metrics of `COUNTERS`, and the reasons where the authors' counter is not defined."""
    spent = cost(architecture)
    counted: int | None = None
    reasons: list[str] = []
    try:
        counted = paper_macs(architecture)
    except InputError as error:
        reasons = [str(problem) for problem in error.problems]
    return {
        "params": spent.params,
        "macs": spent.macs,
        "torch_macs": spent.macs - spent.unseen_macs,
        "paper_macs": counted,
        "paper_macs_reasons": reasons,
        **asdict(memory(architecture)),
    }
