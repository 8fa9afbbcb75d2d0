"""`graph`: how the operators are related."""

from typing import Any

import click

from space.cli.commands import json_option, print_json
from space.cli.tables import print_table
from space.mixer_types import mixer_type_named
from space.relation_graph import EDGES, EXAMPLES, NODES, Edge, one_axis_edges


@click.command("graph")
@click.option("--moves", is_flag=True, help="The one-axis moves between all mixer types too.")
@json_option
def command(moves: bool, as_json: bool) -> None:
    """Print the relation graph of the paper: what changes from operator to operator.

    \b
    Examples:
      python -m space graph
      python -m space graph --moves
      python -m space graph --json

    12 nodes and 13 edges are the paper's (Figure 1). The moves are all pairs of types that differ
    in one axis; --json always has them.
    """
    if as_json:
        print_json(_plain())
        return
    print_table(
        "The paper's relation graph",
        ("from", "to", "label", "kind", "what changes"),
        [(*_words(edge), _changes(edge)) for edge in EDGES],
    )
    if moves:
        edges = one_axis_edges()
        columns = ("from", "to", "label", "kind")
        print_table(f"{len(edges)} one-axis moves", columns, map(_words, edges))


def _words(edge: Edge) -> tuple[str, ...]:
    return edge.source.name, edge.target.name, edge.label, str(edge.kind)


def _changes(edge: Edge) -> str:
    return ", ".join(f"{axis}: {old} → {new}" for axis, (old, new) in edge.changes.items())


def _plain() -> dict[str, Any]:
    return {
        "nodes": [
            {
                "name": name,
                "mixer_type": mixer_type_named(name).label,
                "examples": list(EXAMPLES.get(name, ())),
            }
            for name in NODES
        ],
        "edges": [
            {"source": edge.source.name, "target": edge.target.name} | _described(edge)
            for edge in EDGES
        ],
        "moves": [
            {"source": edge.source.label, "target": edge.target.label} | _described(edge)
            for edge in one_axis_edges()
        ],
    }


def _described(edge: Edge) -> dict[str, Any]:
    return {
        "label": edge.label,
        "kind": str(edge.kind),
        "changes": {axis: list(pair) for axis, pair in edge.changes.items()},
    }
