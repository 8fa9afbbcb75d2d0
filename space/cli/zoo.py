"""`zoo`: the published networks."""

from typing import Any

import click

from space.cli.commands import json_option, print_json
from space.cli.tables import print_table
from space.cost import cost
from space.published import ENTRIES, ZooEntry
from space.wording import short


@click.command("zoo")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """Print the published networks, each a point of the space, or one of them by NAME.

    \b
    Examples:
      python -m space zoo
      python -m space zoo dwnet_tiny --json > dwnet_tiny.json
      python -m space cost dwnet_tiny

    With a name, --json prints the architecture itself, a file to start from.
    """
    if name is not None:
        _print_one(name, as_json)
        return
    if as_json:
        print_json([_plain(entry) for entry in ENTRIES.values()])
        return
    costs = {entry.name: cost(entry.architecture) for entry in ENTRIES.values()}
    print_table(
        "The zoo",
        ("name", "params", "MACs", "block type", "where it comes from"),
        [
            (
                entry.name,
                f"{costs[entry.name].params:,}",
                short(costs[entry.name].macs),
                entry.architecture.block_type,
                entry.provenance,
            )
            for entry in ENTRIES.values()
        ],
        right=("params", "MACs"),
        whole=("name",),
        caption="224×224 images, 1000 classes. `cost` says how MACs are counted.",
    )


def _print_one(name: str, as_json: bool) -> None:
    from space.cli.subjects import read_subject
    from space.errors import InputError

    entry = read_subject(name).entry
    if entry is None:
        raise InputError.of(name, f"is not in the zoo, which has: {', '.join(ENTRIES)}")
    if as_json:
        print_json(entry.architecture.to_dict())
        return
    for field, value in _plain(entry).items():
        click.echo(f"{field.replace('_', ' ')}: {'–' if value is None else value}")


def _plain(entry: ZooEntry) -> dict[str, Any]:
    spent = cost(entry.architecture)
    return {
        "name": entry.name,
        "id": entry.architecture.id,
        "operators": entry.architecture.name,
        "block_type": entry.architecture.block_type,
        "params": spent.params,
        "macs": spent.macs,
        "provenance": entry.provenance,
        "drop_path_rate": entry.drop_path_rate,
        "authors_checkpoints": entry.authors_variant,
    }
