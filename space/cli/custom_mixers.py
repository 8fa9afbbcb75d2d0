"""The custom mixers of a plug-in, each checked as before a search."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from space.cli.commands import print_json
from space.cli.tables import print_table
from space.cost.custom_cost import custom_cost
from space.custom import UNDECLARED, CustomMixer, MixerDefinition, load_plugins, registered_mixers
from space.custom.marks import MARKED
from space.custom.plugins import comes_from
from space.errors import InputError, Problem, join, refuse
from space.geometry import MapSize
from space.wording import short

_WIDTH, _MAP = 32, MapSize(14, 14)


def print_custom_mixers(modules: Sequence[str], as_json: bool) -> None:
    """Print what modules register.

    Raises:
        InputError: for a module that is not there or registers nothing, and for what is wrong with
            a mixer.
    """
    load_plugins(modules, "--plugin")
    found = [each for each in registered_mixers() if comes_from(modules, each)]
    if not found:
        raise InputError.of("--plugin", f"{', '.join(modules)} registers no mixer")
    check = import_module("space.operators.custom_checks").check_custom_mixer
    problems = [
        Problem(join(each.name, problem.where), problem.message)
        for each in found
        for problem in check(CustomMixer(each.name), _WIDTH, _MAP)
    ]
    refuse(problems)
    values = [_values(each) for each in found]
    if as_json:
        print_json(values)
        return
    rows = [
        (
            each["name"],
            str(each["version"]),
            ", ".join(f"{name}={listed[0]}" for name, listed in each["options"].items()),
            *(each["marks"].get(axis, UNDECLARED) for axis in MARKED),
            short(each["params"]),
            short(each["macs"]),
            ", ".join(each["relatives"]),
        )
        for each in values
    ]
    columns = ("name", "version", "options", *MARKED, "params", "FLOPs", "relatives")
    print_table(f"{len(rows)} custom mixers", columns, rows)
    size = f"{_MAP.height}×{_MAP.width}"
    click.echo(f"All are what they declare. Costs are of a mixer at width {_WIDTH} on {size}.")


def _values(definition: MixerDefinition) -> dict[str, Any]:
    params, macs, _ = custom_cost(CustomMixer(definition.name), _WIDTH, _MAP)
    return {
        "name": definition.name,
        "version": definition.version,
        "module": definition.module,
        "options": {name: list(values) for name, values in definition.options.items()},
        "marks": definition.marks.declared,
        "relatives": dict(definition.relatives),
        "paper": definition.paper,
        "params": params,
        "macs": macs,
    }
