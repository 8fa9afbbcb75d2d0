"""`cost`: what a network, or the networks of a space, cost, each metric with its counter."""

from dataclasses import asdict, dataclass
from typing import Any

import click
import numpy as np
from rich.table import Table

from space.architecture import Architecture
from space.cli.commands import json_option, print_json, seed_option
from space.cli.output import stdout_console
from space.cli.subjects import Subject, read_subject
from space.cost import cost, memory, paper_macs
from space.cost.network_cost import Cost, part_costs
from space.design import DesignSpace
from space.errors import InputError
from space.wording import short

COUNTERS = {
    "params": "trainable parameters; equal to those of the built network",
    "macs": (
        "multiply-accumulates of convolutions, linear maps and mixing sums as torch runs them: "
        "padding counts, norms and activations do not; papers print these as FLOPs"
    ),
    "torch_macs": "the part of macs that torch's FlopCounterMode sees",
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
_QUANTITIES = ("params", "macs", "training_bytes", "inference_bytes")


@dataclass(frozen=True)
class CostReport:
    """The metrics of `COUNTERS`, from closed forms.

    Attributes:
        paper_macs: None for a network for which the authors' counter is not defined.
        paper_macs_reasons: why it is not.
    """

    params: int
    macs: int
    torch_macs: int
    paper_macs: int | None
    paper_macs_reasons: tuple[str, ...]
    training_bytes: int
    inference_bytes: int
    moved_bytes: int


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
@json_option
def command(subject: str, samples: int, seed: int, as_json: bool) -> None:
    """Print what SUBJECT costs: a network of the zoo, an architecture file, or a space file.

    \b
    Examples:
      python -m space cost dwnet_tiny
      python -m space cost my-network.json --json
      python -m space cost configs/spaces/imagenet-tiny.yaml --samples 1000

    Every metric is told with its counter, and which of them the paper's own figures use. Of a
    space, the spread over feasible networks drawn uniformly is printed.
    """
    found = read_subject(subject)
    if isinstance(found.value, DesignSpace):
        _print_spread(found.value, samples, seed, as_json)
    elif isinstance(found.value, Architecture):
        _print_network(found, found.value, as_json)
    else:
        raise InputError.of(subject, "is a token mixer; its cost depends on the network around it")


def _print_network(subject: Subject, architecture: Architecture, as_json: bool) -> None:
    spent, parts = cost_report(architecture), part_costs(architecture)
    if as_json:
        print_json(_plain(subject, architecture, spent, parts))
        return
    console = stdout_console()
    console.print(f"{subject.name}  {architecture.id}  {architecture.name}", markup=False)
    table = Table()
    table.add_column("metric")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("counter", overflow="fold")
    for name, counter in COUNTERS.items():
        value = getattr(spent, name)
        table.add_row(name, "–" if value is None else f"{value:,}", counter)
    table.caption = f"The paper uses {PAPER_USES}."
    console.print(table)
    if spent.paper_macs is None:
        console.print(f"No paper_macs: {spent.paper_macs_reasons[0]}", markup=False)
    console.print(_part_table(parts))


def _plain(
    subject: Subject, architecture: Architecture, spent: CostReport, parts: dict[str, Cost]
) -> dict[str, Any]:
    return {
        "name": subject.name,
        "id": architecture.id,
        "operators": architecture.name,
        "provenance": subject.entry.provenance if subject.entry else None,
        **asdict(spent),
        "counters": COUNTERS,
        "paper_uses": PAPER_USES,
        "parts": {name: {"params": part.params, "macs": part.macs} for name, part in parts.items()},
    }


def _part_table(parts: dict[str, Cost]) -> Table:
    table = Table(title="Parts", title_justify="left")
    table.add_column("part")
    for name in ("params", "macs"):
        table.add_column(name, justify="right")
    for name, part in parts.items():
        table.add_row(name, f"{part.params:,}", f"{part.macs:,}")
    return table


def _print_spread(space: DesignSpace, samples: int, seed: int, as_json: bool) -> None:
    rng = np.random.default_rng(seed)
    drawn = [cost_report(space.sample(rng)) for _ in range(samples)]
    values = {name: sorted(getattr(f, name) for f in drawn) for name in _QUANTITIES}
    shares = {"least": 0.0, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "most": 1.0}
    spread = {
        name: {word: numbers[round(share * (len(numbers) - 1))] for word, share in shares.items()}
        for name, numbers in values.items()
    }
    source = f"{samples:,} feasible networks drawn uniformly with seed {seed}"
    if as_json:
        counters = {name: COUNTERS[name] for name in _QUANTITIES}
        print_json({"space": space.name, "from": source, **spread, "counters": counters})
        return
    table = Table(title=f"{space.name}: {source}", title_justify="left")
    for column in ("metric", *(word.replace("_", " ") for word in shares)):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for name, row in spread.items():
        table.add_row(name, *(short(value) for value in row.values()))
    stdout_console().print(table)


def cost_report(architecture: Architecture) -> CostReport:
    """Every metric of a network."""
    spent = cost(architecture)
    paper, reasons = _paper(architecture)
    return CostReport(
        spent.params,
        spent.macs,
        spent.macs - spent.unseen_macs,
        paper,
        reasons,
        **asdict(memory(architecture)),
    )


def _paper(architecture: Architecture) -> tuple[int | None, tuple[str, ...]]:
    try:
        return paper_macs(architecture), ()
    except InputError as error:
        return None, tuple(str(problem) for problem in error.problems)
