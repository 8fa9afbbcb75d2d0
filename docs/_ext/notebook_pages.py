"""Notebooks as pages: their text, their code, and what is kept of their output."""

import json
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser


def as_markdown(notebook: dict[str, Any]) -> str:
    """The cells of a notebook (nbformat 4) as one page."""
    return "\n\n".join(part for cell in notebook["cells"] for part in _parts(cell))


def _text(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _parts(cell: dict[str, Any]) -> Iterator[str]:
    source = _text(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
    elif cell["cell_type"] == "code" and source.strip():
        yield f"````python\n{source}\n````"
        for output in cell.get("outputs", ()):
            yield from _shown(output)


def _shown(output: dict[str, Any]) -> Iterator[str]:
    """Pictures and text; what only a notebook can show is left to it."""
    data = output.get("data", {})
    if "image/png" in data:
        picture = "".join(_text(data["image/png"]).split())
        yield f'<img alt="output" src="data:image/png;base64,{picture}">'
    elif text := _text(output.get("text", data.get("text/plain", ""))).strip():
        yield f"````text\n{text}\n````"


class NotebookParser(MystParser):
    """Reads the JSON of a notebook; the rest is Markdown's."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Fill the document."""
        super().parse(as_markdown(json.loads(inputstring)), document)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_source_parser(NotebookParser)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
