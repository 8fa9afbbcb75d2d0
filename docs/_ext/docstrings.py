"""Docstrings as they are written for readers of the source, made reStructuredText.

An example that is set in below a paragraph is code; what "Returns" says is a sentence, in which a
colon does not set off a type.
"""

import re
from collections.abc import Iterator
from typing import Any


def prepared(lines: list[str]) -> list[str]:
    """The lines of a docstring for Sphinx."""
    return list(_without_types(_with_code(lines)))


def _with_code(lines: list[str]) -> Iterator[str]:
    before, blank = "", True
    for line in lines:
        if blank and line.startswith("    ") and before[:1] not in ("", " ", "-"):
            yield from ("::", "")
        yield line
        blank = not line.strip()
        before = before if blank else line


def _without_types(lines: Iterator[str]) -> Iterator[str]:
    first = False
    for line in lines:
        yield re.sub(r": ", " – ", line, count=1) if first else line
        first = line.strip() == "Returns:"


def _on_docstring(
    app: Any, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    lines[:] = prepared(lines)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx; before napoleon hears of a docstring."""
    app.connect("autodoc-process-docstring", _on_docstring, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
