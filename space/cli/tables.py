"""Tables that stay readable on narrow terminals: columns are left out, never cut."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from space.cli.messages import carried
from space.cli.output import stdout_console
from space.wording import count

_SHORTEST = 4
"""Characters of a column that is folded on a terminal too narrow for anything."""
_FOLD_TO = 8
"""Least characters of a column of texts, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its header.
        cells: one text per row.
        right: whether it is set to the right, as numbers are.
        optional: 0 for a column that is always shown; of the others the highest is left out first.
        fold_to: the least width to which a column of long texts may be folded; None if it may not.
    """

    name: str
    cells: Sequence[str]
    right: bool = False
    optional: int = 0
    fold_to: int | None = None

    @property
    def full(self) -> int:
        """Width of the longest line."""
        lines = [self.name, *(line for cell in self.cells for line in cell.split("\n"))]
        return max(cell_len(line) for line in lines)

    @property
    def least(self) -> int:
        """Width below which the column is not readable."""
        if self.fold_to is None:
            return self.full
        return min(self.full, max(self.fold_to, cell_len(self.name)))

    def carried(self, encoding: str) -> "Column":
        """The column in the characters of an encoding; what is written otherwise may be wider."""
        return replace(self, cells=[carried(cell, encoding) for cell in self.cells])


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table that leaves out optional columns, and folds long ones, until it fits the width.

    Attributes:
        columns: all of them.
        title: above the table; "" for none.
        caption: below the table; "" for none.
    """

    columns: Sequence[Column]
    title: str = ""
    caption: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich prints."""
        columns = [column.carried(options.encoding) for column in self.columns]
        yield replace(self, columns=columns).fitted(options.max_width)

    def fitted(self, width: int) -> Table:
        """The table for a terminal of this width."""
        edges = _needs(self.columns, edges=True) <= width
        columns = list(self.columns)
        while _needs(columns, edges=edges) > width and any(c.optional for c in columns):
            columns.remove(max(columns, key=lambda column: column.optional))
        left_out = len(self.columns) - len(columns)
        said = f"{count(left_out, 'column')} left out: too narrow here" if left_out else ""
        table = Table(
            title=self.title or None,
            caption="\n".join(filter(None, (self.caption, said))) or None,
            title_justify="left",
            title_style="bold",
            show_edge=edges,
        )
        spare = width - _needs(columns, edges=edges)
        for column in columns:
            wide = column.least
            if column.fold_to is not None:
                wide = max(_SHORTEST, min(column.full, wide + spare))
                spare -= wide - column.least
            table.add_column(
                column.name,
                justify="right" if column.right else "left",
                no_wrap=column.fold_to is None,
                overflow="fold",
                width=wide,
            )
        for row in zip(*(column.cells for column in columns), strict=True):
            table.add_row(*(Text(cell) for cell in row))
        return table


def _needs(columns: Sequence[Column], *, edges: bool) -> int:
    """Width of the table with every column at its least: a cell, a blank on each side, a line."""
    between = 3 * len(columns) + (1 if edges else -1)
    return sum(column.least for column in columns) + between


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[str] = (),
    whole: Collection[str] = (),
    optional: Sequence[str] = (),
    caption: str = "",
) -> None:
    """Print a table on stdout.

    Args:
        title: above it; "" for none.
        columns: names of the columns.
        rows: a text for each column.
        right: columns set to the right, as numbers are.
        whole: others that are not folded either, as people copy what stands there.
        optional: columns that are left out on a narrow terminal, the first of them first.
        caption: below it; "" for none.
    """
    cells = list(rows)
    made = [
        Column(
            name,
            [row[place] for row in cells],
            right=name in right,
            optional=len(optional) - optional.index(name) if name in optional else 0,
            fold_to=None if name in right or name in whole else _FOLD_TO,
        )
        for place, name in enumerate(columns)
    ]
    stdout_console().print(FittedTable(made, title, caption))
