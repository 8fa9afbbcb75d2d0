"""Writes what the table of operators says into the documentation, and draws its relation graph.

    python -m benchmarks.conclusions            # the text of docs/effects.md, and the picture
    python -m benchmarks.conclusions --check    # write nothing; 1 where the text is another one

The picture needs a Chrome or Chromium; --text leaves it as it is.
"""

import argparse
from pathlib import Path

from benchmarks.conclusions.page import text, write, written
from benchmarks.table.read import shipped_table
from benchmarks.table.spec import OPERATORS_TABLE
from search.query import table_effects
from search.visualization.figure_file import write as write_figure
from search.visualization.measured_graph import measured_graph

_DOCS = Path(__file__).parents[2] / "docs"
PAGE = _DOCS / "effects.md"
PICTURE = _DOCS / "images" / "operators-graph.svg"


def main(arguments: list[str] | None = None) -> int:
    """Write, or check; see the module's text."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.conclusions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--text", action="store_true", help="the text alone, without the picture")
    options = parser.parse_args(arguments)
    table = shipped_table(OPERATORS_TABLE.name)
    new = text(OPERATORS_TABLE, table)
    if options.check:
        return int(new != written(PAGE))
    write(PAGE, new)
    if not options.text:
        write_figure(measured_graph(table_effects(table)), PICTURE, "the picture")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
