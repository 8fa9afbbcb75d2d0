"""Mermaid diagrams as the pictures that were drawn of them: nothing is drawn in the browser.

A fence ```mermaid is shown as the SVG in images/diagrams/ whose name is the hash of its text, which
`python -m docs.draw_diagrams` writes. A text that was changed since is an error of the build.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from docs.draw_diagrams import FOLDER, name_of


class Mermaid(Directive):
    """A diagram."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The picture of the content."""
        env = self.state.document.settings.env
        name = name_of("\n".join(self.content))
        if not Path(env.srcdir, FOLDER, name).is_file():
            said = f"no {FOLDER}/{name} for this diagram; draw it by python -m docs.draw_diagrams"
            return [self.state.document.reporter.warning(said, line=self.lineno)]
        title = next((line for line in self.content if line.strip()), "diagram").strip()
        picture = nodes.image(uri=f"/{FOLDER}/{name}", alt=f"Diagram: {title}", classes=["diagram"])
        return [nodes.container("", picture, classes=["diagram"])]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
