"""Links from a page to a file of the project that is no page: on the site a download.

On the page as it lies in the repository they are plain relative links, which every viewer follows.
What is a page under another name, such as CHANGELOG.md, is linked as that page.
"""

import re
from pathlib import Path
from typing import Any

PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "deploy/README.md": "deploy.md",
}
"""Files of the project, and the pages of the site that include them."""

_LINK = re.compile(
    r"(?<!!)\[(?P<text>[^\]\n]+)\]\((?P<path>(?:\.\./|examples/)[^)#\s]*)(?P<anchor>#[^)\s]*)?\)"
)


def rewritten(text: str, depth: int = 0) -> str:
    """A page's text with its links to outside as Sphinx wants them.

    Args:
        text: in Markdown.
        depth: folders between docs/ and the page.
    """

    def of(link: re.Match[str]) -> str:
        words, path = link["text"], link["path"]
        name = path.removeprefix("../" * (depth + 1))
        if name in PAGES:
            return f"[{words}]({'../' * depth}{PAGES[name]}{link['anchor'] or ''})"
        return f"{{download}}`{words.replace('`', '')} <{path}>`"

    return _LINK.sub(of, text)


def _on_read(app: Any, docname: str, source: list[str]) -> None:
    source[0] = rewritten(source[0], docname.count("/"))


def _in_the_root(app: Any, path: Path, parent: str, source: list[str]) -> None:
    """Of an included file of the root: its links start one folder higher."""
    if Path(app.srcdir, path).resolve().parent == Path(app.srcdir).resolve().parent:
        moved = re.sub(r"\]\((?!https?:|#)(?!docs/)([\w.])", r"](../\1", source[0])
        source[0] = rewritten(moved.replace("](docs/", "]("))


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _on_read)
    app.connect("include-read", _in_the_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
