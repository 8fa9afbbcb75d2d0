"""`graph`: how the operators are related."""

from typing import Any

import click
from rich.table import Table

from space.cells import cell_named
from space.cli.options import json_option, print_json
from space.cli.output import stdout_console
from space.relation_graph import EXAMPLES, NODES
from space.structure.moves import Move, legal_moves, paper_moves


@click.command("graph")
@click.option("--moves", is_flag=True, help="The one-axis moves between all cells too.")
@json_option
def command(moves: bool, as_json: bool) -> None:
    """Print the relation graph of the paper: what changes from operator to operator.

    \b
    Examples:
      python -m space graph
      python -m space graph --moves
      python -m space graph --json

    12 nodes and 13 edges are the paper's (Figure 1). The moves are all pairs of cells that differ
    in one axis; --json always has them.
    """
    if as_json:
        print_json(_plain())
        return
    console = stdout_console()
    console.print(_edge_table())
    if moves:
        console.print(_move_table())


def _edge_table() -> Table:
    table = Table(title="The paper's relation graph", title_justify="left", title_style="bold")
    for column in ("from", "to", "label", "kind", "what changes"):
        table.add_column(column)
    for move in paper_moves():
        ends = (move.source.name, move.target.name)
        table.add_row(*ends, move.label, str(move.kind), _changes(move))
    return table


def _changes(move: Move) -> str:
    return ", ".join(f"{axis}: {old} → {new}" for axis, (old, new) in move.changes.items())


def _move_table() -> Table:
    moves = legal_moves()
    table = Table(title=f"{len(moves)} one-axis moves", title_justify="left", title_style="bold")
    for column in ("from", "to", "label", "kind"):
        table.add_column(column)
    for move in moves:
        table.add_row(move.source.name, move.target.name, move.label, str(move.kind))
    return table


def _plain() -> dict[str, Any]:
    return {
        "nodes": [
            {"name": name, "cell": cell_named(name).label, "examples": list(EXAMPLES.get(name, ()))}
            for name in NODES
        ],
        "edges": [
            {"source": move.source.name, "target": move.target.name} | _described(move)
            for move in paper_moves()
        ],
        "moves": [
            {"source": move.source.label, "target": move.target.label} | _described(move)
            for move in legal_moves()
        ],
    }


def _described(move: Move) -> dict[str, Any]:
    return {
        "label": move.label,
        "kind": str(move.kind),
        "changes": {axis: list(pair) for axis, pair in move.changes.items()},
    }
