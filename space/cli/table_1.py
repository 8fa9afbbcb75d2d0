"""Table 1 of the paper, computed from W. Alone among the commands this one needs torch."""

from dataclasses import asdict
from typing import Any

from rich.table import Table

from space.cli.options import print_json
from space.cli.output import stdout_console
from space.structure.marks import TABLE_1, Marks, table_1

_COLUMNS = {
    "sparse_positions": "sparse between positions",
    "sparse_channels": "sparse between channels",
    "shared_positions": "shared across positions",
    "shared_channels": "shared across channels",
    "dynamic": "dynamic",
}


def print_table_1(as_json: bool) -> None:
    """Print the marks of each structure, as a table or as a list of rows."""
    marks = table_1()
    if as_json:
        print_json([_plain(name, row) for name, row in marks.items()])
        return
    table = Table(title="Table 1: structure", title_justify="left", title_style="bold")
    for column in ("structure", *_COLUMNS.values()):
        table.add_column(column)
    for name, row in marks.items():
        table.add_row(name, *(getattr(row, field) for field in _COLUMNS))
    table.caption = "Read off W itself, of operators with random weights on two random images."
    stdout_console().print(table)


def _plain(name: str, marks: Marks) -> dict[str, Any]:
    mixer = TABLE_1[name]
    cell = {"cell": mixer.cell.label, "mixer": mixer.to_dict()}
    return {"structure": name, **cell, **asdict(marks)}
