"""A table in Markdown, as a benchmark prints it and as it stands in the README."""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; the first is set to the left, the others to the right."""
    widths = [max(len(row[place]) for row in [header, *rows]) for place in range(len(header))]
    rule = [f"{'-' * widths[0]}", *(f"{'-' * (width - 1)}:" for width in widths[1:])]
    lines = [header, rule, *rows]
    return "\n".join(f"| {' | '.join(_set(line, widths))} |" for line in lines)


def _set(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
    return [first, *(c.strip().rjust(w) for c, w in zip(others, widths[1:], strict=True))]
