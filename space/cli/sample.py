"""`sample`: networks of a space, drawn uniformly."""

from collections.abc import Iterator

import click
import numpy as np
from rich.table import Table

from space.architecture import Architecture
from space.cli.options import json_option, print_json, seed_option
from space.cli.output import stdout_console
from space.cli.subjects import read_subject
from space.cost import cost, memory
from space.design import DesignSpace
from space.wording import short

_PATIENCE = 200


@click.command("sample")
@click.argument("space")
@click.option(
    "--number",
    "-n",
    default=5,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="How many distinct networks.",
)
@seed_option
@json_option
def command(space: str, number: int, seed: int, as_json: bool) -> None:
    """Draw feasible networks of SPACE, a YAML file, uniformly and without repeats.

    \b
    Examples:
      python -m space sample configs/spaces/imagenet-tiny.yaml
      python -m space sample configs/spaces/imagenet-tiny.yaml --number 100 --seed 7 --json

    The bytes are those of activations, for one image in float32. With --json each network comes
    with its cost and its architecture, which the other commands read from a file.
    """
    drawn = list(_distinct(read_subject(space).space(), number, np.random.default_rng(seed)))
    if as_json:
        print_json([_plain(architecture) for architecture in drawn])
    else:
        stdout_console().print(_table(drawn))
    if len(drawn) < number:
        click.echo(f"Only {len(drawn):,} distinct networks were met.", err=True)


def _distinct(space: DesignSpace, number: int, rng: np.random.Generator) -> Iterator[Architecture]:
    """Networks without repeats; fewer than asked for where new ones stay out."""
    seen: set[str] = set()
    misses = 0
    while len(seen) < number and misses < _PATIENCE:
        architecture = space.sample(rng)
        misses = misses + 1 if architecture.id in seen else 0
        if not misses:
            seen.add(architecture.id)
            yield architecture


def _plain(architecture: Architecture) -> dict[str, object]:
    spent, used = cost(architecture), memory(architecture)
    return {
        "id": architecture.id,
        "params": spent.params,
        "macs": spent.macs,
        "training_bytes": used.training_bytes,
        "inference_bytes": used.inference_bytes,
        "architecture": architecture.to_dict(),
    }


def _table(drawn: list[Architecture]) -> Table:
    table = Table()
    table.add_column("network", no_wrap=True)
    for column in ("params", "MACs", "training bytes", "inference bytes"):
        table.add_column(column, justify="right")
    for column in ("scaffold", "depths", "widths", "token mixers"):
        table.add_column(column, overflow="fold")
    for architecture in drawn:
        spent, used = cost(architecture), memory(architecture)
        figures = (spent.params, spent.macs, used.training_bytes, used.inference_bytes)
        table.add_row(
            architecture.id,
            *map(short, figures),
            architecture.scaffold,
            "-".join(str(stage.depth) for stage in architecture.stages),
            "-".join(str(stage.width) for stage in architecture.stages),
            " | ".join("+".join(m.label for m in stage.mixers) for stage in architecture.stages),
        )
    return table
