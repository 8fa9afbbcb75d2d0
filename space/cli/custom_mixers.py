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
from space.wording import count, short, some

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
        Problem(join(mixer.label, problem.where), problem.message)
        for each in found
        for mixer in _with_each_option(each)
        for problem in check(mixer, _WIDTH, _MAP)
    ]
    refuse(dict.fromkeys(problems))
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
    print_table(count(len(rows), "custom mixer"), columns, rows)
    size = f"{_MAP.height}×{_MAP.width}"
    silent = [each["name"] for each in values if not each["marks"]]
    but = f"; {some(silent)} declares nothing" if silent else ""
    click.echo(
        f"All run, with each of their options, at width {_WIDTH} on {size}, and are what they "
        f"declare{but}. Costs are of the defaults."
    )


def _with_each_option(definition: MixerDefinition) -> list[CustomMixer]:
    """The mixer as it is by default, and with every other value of one option."""
    changed = ({name: value} for name, values in definition.options.items() for value in values[1:])
    return [CustomMixer(definition.name, options) for options in ({}, *changed)]


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
