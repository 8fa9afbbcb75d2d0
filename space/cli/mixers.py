"""`mixers`: every type of token mixer, and the paper's Table 1."""

from dataclasses import asdict
from typing import Any

import click

from space.axes import AXES
from space.cli.commands import json_option, print_json
from space.cli.custom_mixers import print_custom_mixers
from space.cli.tables import print_table
from space.errors import InputError
from space.mixer import Mixer
from space.mixer_types import LITERATURE_NAMES, MixerType, all_mixer_types
from space.relation_graph import EXAMPLES


@click.command("mixers")
@click.option("--named", is_flag=True, help="Only the mixer types that have a name.")
@click.option(
    "--table-1", "structure", is_flag=True, help="The paper's Table 1 instead, computed from W."
)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="MODULE",
    help="The custom mixers that this module registers instead, each checked.",
)
@json_option
def command(named: bool, structure: bool, plugins: tuple[str, ...], as_json: bool) -> None:
    """Print every kind of token mixer: the legal combinations of the five axes.

    \b
    Examples:
      python -m space mixers
      python -m space mixers --named
      python -m space mixers --json
      python -m space mixers --table-1
      python -m space mixers --plugin mixspace.mixers

    The paper names 12 of the 74 mixer types. In a space file a type is written by its name
    or its label, such as sliding/separable/full/position/static.

    Table 1 of the paper marks how ten structures restrict their weights W: ✓ where pairs of
    positions or of channels have no weight (sparse), where their weights are equal (shared) and
    where they change with the image (dynamic). The marks are computed from W here, not typed.

    A mixer of your own is a module that a plug-in registers. It is built, run and held to its marks
    as before a search, at width 32 on a map of 14x14; what is wrong is told, with exit code 2.
    """
    if plugins:
        if named or structure:
            raise InputError.of("--plugin", "has a list of its own; leave out the other options")
        print_custom_mixers(plugins, as_json)
        return
    if structure:
        if named:
            raise InputError.of("--table-1", "has ten rows of its own; leave out --named")
        _print_table_1(as_json)
        return
    mixer_types = [_plain(mixer_type) for mixer_type in all_mixer_types()]
    if named:
        mixer_types = [mixer_type for mixer_type in mixer_types if mixer_type["name"]]
    if as_json:
        print_json(mixer_types)
        return
    rows = [
        (
            mixer_type["name"] or "",
            "yes" if mixer_type["paper_name"] else "",
            *(str(mixer_type[axis]) for axis in AXES),
            ", ".join(mixer_type["required"]),
        )
        for mixer_type in mixer_types
    ]
    print_table(f"{len(rows)} mixer types", ("name", "of the paper", *AXES, "needs"), rows)


def _plain(mixer_type: MixerType) -> dict[str, Any]:
    fields = Mixer.applicable(*mixer_type.values)
    literature = LITERATURE_NAMES.get(mixer_type.label)
    return {
        "label": mixer_type.label,
        "name": mixer_type.paper_name or literature,
        "paper_name": mixer_type.paper_name,
        "literature_name": literature,
        **{axis: str(value) for axis, value in zip(AXES, mixer_type.values, strict=True)},
        "required": [name for name, default in fields.items() if default is None],
        "options": {name: default for name, default in fields.items() if default is not None},
        "examples": list(EXAMPLES.get(mixer_type.paper_name or "", ())),
    }


_COLUMNS = {
    "sparse_positions": "sparse between positions",
    "sparse_channels": "sparse between channels",
    "shared_positions": "shared across positions",
    "shared_channels": "shared across channels",
    "dynamic": "dynamic",
}


def _print_table_1(as_json: bool) -> None:
    # Only this table needs torch, which takes seconds to import.
    from space.structure.table_1 import TABLE_1, table_1

    rows = table_1()
    if as_json:
        print_json(
            [
                {"structure": name, "mixer_type": mixer.type.label, "mixer": mixer.to_dict()}
                | asdict(rows[name])
                for name, mixer in TABLE_1.items()
            ]
        )
        return
    print_table(
        "Table 1: structure",
        ("structure", *_COLUMNS.values()),
        [(name, *(getattr(row, field) for field in _COLUMNS)) for name, row in rows.items()],
        caption="Read off W itself, of operators with random weights on two random images.",
    )
