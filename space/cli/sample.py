"""`sample`: networks of a space, drawn uniformly."""

import sys
from collections.abc import Iterator

import click
import numpy as np

from space.architecture import Architecture
from space.cli.commands import json_option, print_json, seed_option
from space.cli.subjects import quantities, read_subject
from space.cli.tables import print_table
from space.design import DesignSpace, SpaceTooLarge
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
    networks = _distinct(read_subject(space).space(), number, np.random.default_rng(seed))
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


def _distinct(space: DesignSpace, number: int, rng: np.random.Generator) -> Iterator[Architecture]:
    """Networks without repeats; fewer than asked for where new ones stay out.

    Of a space that has no more than that, all of them: to draw the last ones takes very long.
    """
    if not _has_more(space, number):
        yield from space.enumerate()
        return
    seen: set[str] = set()
    misses = 0
    while len(seen) < number and misses < _PATIENCE:
        architecture = space.sample(rng)
        misses = misses + 1 if architecture.id in seen else 0
        if not misses:
            seen.add(architecture.id)
            yield architecture


def _has_more(space: DesignSpace, number: int) -> bool:
    """Whether there are more networks; taken for granted where counting could take long."""
    if space.size_hint() > 10 * number:
        return True
    try:
        return space.count() > number
    except SpaceTooLarge:
        return True


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
