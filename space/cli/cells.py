"""`cells`: the structural cells of the algebra, and the paper's Table 1."""

from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from space.axes import AXES
from space.cells import LITERATURE_NAMES, Cell, all_cells
from space.cli.commands import json_option, print_json
from space.cli.output import stdout_console
from space.errors import InputError
from space.mixer import Mixer
from space.relation_graph import EXAMPLES


@click.command("cells")
@click.option("--named", is_flag=True, help="Only the cells that have a name.")
@click.option(
    "--table-1", "structure", is_flag=True, help="The paper's Table 1 instead, computed from W."
)
@json_option
def command(named: bool, structure: bool, as_json: bool) -> None:
    """Print every kind of token mixer: the legal combinations of the five axes.

    \b
    Examples:
      python -m space cells
      python -m space cells --named
      python -m space cells --json
      python -m space cells --table-1

    The paper names 12 of the 74 cells. A cell is a label in a space file too, such as
    sliding/separable/full/position/static.

    Table 1 of the paper marks how ten structures restrict their weights W: ✓ where pairs of
    positions or of channels have no weight (sparse), where their weights are equal (shared) and
    where they change with the image (dynamic). The marks are computed from W here, not typed.
    """
    if structure:
        if named:
            raise InputError.of("--table-1", "has ten rows of its own; leave out --named")
        _print_table_1(as_json)
        return
    cells = [_plain(cell) for cell in all_cells()]
    if named:
        cells = [cell for cell in cells if cell["name"]]
    if as_json:
        print_json(cells)
        return
    table = Table(title=f"{len(cells)} cells", title_justify="left", title_style="bold")
    for column in ("name", "of the paper", *AXES, "needs"):
        table.add_column(column)
    for cell in cells:
        axes = [str(cell[axis]) for axis in AXES]
        paper = "yes" if cell["paper_name"] else ""
        table.add_row(cell["name"] or "", paper, *axes, ", ".join(cell["required"]))
    stdout_console().print(table)


def _plain(cell: Cell) -> dict[str, Any]:
    fields = Mixer.applicable(*cell.values)
    literature = LITERATURE_NAMES.get(cell.label)
    return {
        "label": cell.label,
        "name": cell.paper_name or literature,
        "paper_name": cell.paper_name,
        "literature_name": literature,
        **{axis: str(value) for axis, value in zip(AXES, cell.values, strict=True)},
        "required": [name for name, default in fields.items() if default is None],
        "options": {name: default for name, default in fields.items() if default is not None},
        "examples": list(EXAMPLES.get(cell.paper_name or "", ())),
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
                {"structure": name, "cell": mixer.cell.label, "mixer": mixer.to_dict()}
                | asdict(rows[name])
                for name, mixer in TABLE_1.items()
            ]
        )
        return
    table = Table(title="Table 1: structure", title_justify="left", title_style="bold")
    for column in ("structure", *_COLUMNS.values()):
        table.add_column(column)
    for name, row in rows.items():
        table.add_row(name, *(getattr(row, field) for field in _COLUMNS))
    table.caption = "Read off W itself, of operators with random weights on two random images."
    stdout_console().print(table)
