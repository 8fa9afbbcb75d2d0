"""`sample`: networks of a space, drawn uniformly."""

import sys

import click
import numpy as np

from space.architecture import Architecture
from space.cli.commands import json_option, print_json, seed_option
from space.cli.subjects import quantities, read_subject
from space.cli.tables import print_table
from space.wording import short


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
    """Draw feasible networks of SPACE, a YAML file or a name, uniformly and without repeats.

    \b
    Examples:
      python -m space sample imagenet-tiny
      python -m space sample imagenet-tiny --number 100 --seed 7 --json

    The bytes are those of activations, for one image in float32. With --json each network comes
    with its cost and its architecture, which the other commands read from a file.
    """
    networks = read_subject(space).space().distinct(number, np.random.default_rng(seed))
    hidden = not sys.stderr.isatty()
    with click.progressbar(networks, number, "Drawing", hidden=hidden, file=sys.stderr) as shown:
        drawn = list(shown)
    if as_json:
        print_json([_plain(architecture) for architecture in drawn])
    else:
        columns = ("network", *_FIGURES, "block type", "depths", "widths", "token mixers")
        print_table(
            "",
            columns,
            map(_row, drawn),
            right=_FIGURES,
            whole=("network",),
            optional=("inference bytes", "training bytes", "block type"),
        )
    if len(drawn) < number:
        click.echo(f"Only {len(drawn):,} distinct networks were met.", err=True)


def _plain(architecture: Architecture) -> dict[str, object]:
    return {
        "id": architecture.id,
        **quantities(architecture),
        "architecture": architecture.to_dict(),
    }


_FIGURES = ("params", "MACs", "training bytes", "inference bytes")


def _row(architecture: Architecture) -> tuple[str, ...]:
    stages = architecture.stages
    return (
        architecture.id,
        *map(short, quantities(architecture).values()),
        architecture.block_type,
        "-".join(str(stage.depth) for stage in stages),
        "-".join(str(stage.width) for stage in stages),
        " | ".join("+".join(mixer.label for mixer in stage.mixers) for stage in stages),
    )
