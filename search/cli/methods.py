"""`methods`: the searchers and schedulers that there are, and the options of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click
from rich.text import Text

from search.cli.described_methods import DescribedOption, Method, ignored, method_names, methods
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.errors import InputError
from space.wording import did_you_mean


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
    for said in ignored(name):
        click.echo(said, err=True)
    if as_json:
        print_json([asdict(method) for method in found])
    elif name is None:
        kinds = {"Searchers": "searcher", "Schedulers": "scheduler"}
        _print_entries({title: _entries(found, kind) for title, kind in kinds.items()})
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


_Entries = list[tuple[str, str]]
"""Names, and what is said of each."""


def _entries(found: Sequence[Method], kind: str) -> _Entries:
    rows = []
    for method in (each for each in found if each.kind == kind):
        objectives = {True: "any", False: "one", None: None}[method.multi_objective]
        notes = _notes(objectives=objectives, package=method.package)
        rows.append((method.name, f"{method.problem or method.words} {notes}"))
    return rows


def _print_options(method: Method) -> None:
    console = stdout_console()
    console.print(Text(printable(f"{method.name}, a {method.kind}. {method.words}")))
    if not method.options:
        console.print(Text("It has no options."))
        return
    rows = []
    for option in method.options:
        notes = _notes(default=_default(option), allowed=option.allowed)
        rows.append((option.name, f"{option.words} {notes}"))
    _print_entries({"Options": rows})
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


def _print_entries(sections: Mapping[str, _Entries]) -> None:
    """As `--help` prints options: names, and beside them words that are never broken."""
    formatter = click.HelpFormatter(width=stdout_console().width)
    for title, entries in sections.items():
        with formatter.section(title):
            formatter.write_dl([(printable(name), printable(words)) for name, words in entries])
    click.echo(formatter.getvalue(), nl=False)


def _notes(**said: str | None) -> str:
    """Such as "[default: 10; allowed: whole number, at least 1]", without what is not known."""
    known = "; ".join(f"{name}: {words}" for name, words in said.items() if words)
    return f"[{known}]" if known else ""


def _default(option: DescribedOption) -> str:
    """As a file has it."""
    written = json.dumps(option.default, ensure_ascii=False)
    return "required" if option.required else printable(written)
