"""`methods`: the searchers and schedulers that there are, and the options of each."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.text import Text

from search.cli.described_methods import DescribedOption, Method, method_names, methods
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.cli.tables import print_table
from space.errors import InputError
from space.wording import NONE, did_you_mean


@click.command("methods")
@click.argument("name", required=False)
@json_option
def command(name: str | None, as_json: bool) -> None:
    """List the searchers and schedulers, or the options of the one called NAME.

    \b
    Examples:
      python -m search methods
      python -m search methods evolution
      python -m search methods asha
      python -m search methods --json

    A searcher decides which architecture is trained next, a scheduler which trials are cut short.
    A configuration names one of each, and may give their options:

    \b
      searcher: {name: evolution, population: 64}
      scheduler: {name: asha, grace_epochs: 2}

    On the command line the same is --set searcher.name=evolution --set searcher.population=64.
    Those of other packages that are installed are listed too. Which to take: docs/searching.md.
    """
    found = methods(name)
    if name is not None:
        _refuse_unusable(name, found)
    if as_json:
        print_json([asdict(method) for method in found])
    elif name is None:
        _print_list("Searchers", [method for method in found if method.kind == "searcher"])
        _print_list("Schedulers", [method for method in found if method.kind == "scheduler"])
        click.echo("The options of one: python -m search methods NAME", err=True)
    else:
        for method in found:
            _print_options(method)


def _refuse_unusable(name: str, found: Sequence[Method]) -> None:
    """Refuse a name that nothing has, or whose package cannot be loaded."""
    if not found:
        names = method_names()
        listed = f"allowed: {', '.join(names)}{did_you_mean(name, names)}"
        raise InputError.of("name", f"{name!r} is no searcher and no scheduler; {listed}")
    for method in found:
        if method.problem is not None:
            raise InputError.of("name", method.problem)


def _print_list(title: str, found: Sequence[Method]) -> None:
    rows = [
        (
            method.name,
            {True: "any", False: "one", None: NONE}[method.multi_objective],
            method.package or "mixspace",
            printable(method.problem or method.words or NONE),
        )
        for method in found
    ]
    columns = ("name", "objectives", "package", "what it does")
    print_table(
        title, columns, rows, whole=("name", "objectives", "package"), optional=("package",)
    )


def _print_options(method: Method) -> None:
    console = stdout_console()
    console.print(Text(printable(f"{method.name}, a {method.kind}. {method.words}")))
    if not method.options:
        console.print(Text("It has no options."))
        return
    rows = [
        (option.name, _default(option), option.allowed or NONE, printable(option.words or NONE))
        for option in method.options
    ]
    columns = ("option", "default", "allowed", "what it is")
    print_table("", columns, rows, whole=("option",))
    some, kind = method.options[0], method.kind
    value = "VALUE" if some.required else json.dumps(some.default)
    click.echo(
        printable(
            f"In a configuration: {kind}: {{name: {method.name}, {some.name}: {value}}}\n"
            f"On the command line: --set {kind}.name={method.name} "
            f"--set {kind}.{some.name}={value}"
        ),
        err=True,
    )


def _default(option: DescribedOption) -> str:
    """As a file has it."""
    written = json.dumps(option.default, ensure_ascii=False)
    return "required" if option.required else printable(written)
