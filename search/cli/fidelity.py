"""`fidelity`: what early epochs, losses, sizes and smaller studies say of full training."""

import click

from search.cli.options import store_option
from search.fidelity.cells import Cells, ceiling_sentence, pick_cells, rank_cells
from search.query import StudyFidelity, paired_fidelity, study_fidelity
from search.store import Store, open_to_read
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.custom.plugins import load_known_plugins
from space.errors import InputError
from space.wording import some

_OPTIONAL = (
    *("tied pairs", "n", "another seed", "between", "within families", "Spearman"),
    *("size taken out", "cost", "in the top tenth", "beats size"),
)
"""Columns that a narrow terminal leaves out, the first of them first."""


@click.command("fidelity")
@click.argument("studies", nargs=-1, required=True, metavar="STUDY...")
@click.option("--full", metavar="STUDY", help="Hold the one STUDY to this, of another protocol.")
@click.option("--all", "every", is_flag=True, help="Also what orders worse than params or MACs.")
@store_option()
@json_option
def command(
    studies: tuple[str, ...], full: str | None, every: bool, store: str, as_json: bool
) -> None:
    """Print what each proxy is worth: how far its order is that of full training.

    \b
    Examples:
      python -m search fidelity quickstart
      python -m search fidelity first second --json
      python -m search fidelity short --full long

    A full training is a complete trial, from scratch, judged by the protocol's epoch. Proxies are
    the accuracy and the training loss after earlier epochs, params, MACs, memory and pace; with
    --full the epochs of another study, of fewer epochs or images or smaller ones, whose networks
    both have trained. Studies of one protocol are taken together, those of several apart.

    Kendall's tau-b has a 95 % interval over architectures. In the top tenth: among the best tenth
    of the full results. Within families: pairs of equal locality and dynamics; between: the others.
    Size taken out: ranks, less what log params and log MACs explain. Another seed: held to another
    training of the same network. Recall and regret: out of so many random candidates as many by
    the proxy are trained in full; how many of as many best are among them, in %, and how far the
    best of them is below the best of all, in points. Of fewer than 10 results nothing is told.

    What orders worse than params or MACs is left out, and named on stderr; --all has it.
    """
    if full is not None and len(studies) != 1:
        raise InputError.of("--full", f"takes one STUDY beside it; got {some(studies)}")
    with open_to_read(store) as opened:
        found = _read(opened, studies, full)
    if as_json:
        print_json([each.plain() for each in found])
        return
    for each in found:
        _print(each, every)


def _read(store: Store, studies: tuple[str, ...], full: str | None) -> list[StudyFidelity]:
    for name in studies:
        load_known_plugins(store.studies.get(name).space)
    if full is None:
        return study_fidelity(store, studies)
    return [paired_fidelity(store, studies[0], full)]


def _print(found: StudyFidelity, every: bool) -> None:
    rows = found.rows if every else found.offered
    console = stdout_console()
    title = f"{' + '.join(found.studies)}: Kendall's τ with the {found.full}"
    console.print(_table(rank_cells(rows), title, _OPTIONAL))
    picks = pick_cells(rows)
    if any(row.picks for row in rows):
        costs = "What choosing by it costs: recall in %, regret in points of accuracy"
        console.print(_table(picks, costs, [*picks][:3:-1]))
    said = [ceiling_sentence(found.ceiling), *found.notes]
    if found.held_back and not every:
        named = ", ".join(row.proxy for row in found.held_back)
        said.insert(0, f"Left out, as params or MACs order better: {named} (--all).")
    for sentence in said:
        click.echo(printable(sentence), err=True)


def _table(cells: Cells, title: str, optional: tuple[str, ...] | list[str]) -> FittedTable:
    left_first = {name: len(optional) - place for place, name in enumerate(optional)}
    columns = [
        Column(
            name,
            texts,
            right=name != "proxy",
            optional=left_first.get(name, 0),
            fold_to=20 if name == "proxy" else None,
        )
        for name, texts in cells.items()
    ]
    return FittedTable(columns, title)
