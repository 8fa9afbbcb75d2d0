"""Places in the contents for pages that may be missing: an entry such as install* that finds none.

Sphinx warns of it, and that warning alone cannot be switched off.
"""

import re
from pathlib import Path
from typing import Any


def without_missing(text: str, folder: Path) -> str:
    """A page's text without the entries of its contents that nothing fits."""

    def kept(entry: re.Match[str]) -> str:
        pages = [*folder.glob(f"{entry[1]}.md"), *folder.glob(f"{entry[1]}.ipynb")]
        return entry[0] if pages else ""

    return re.sub(r"^([\w/-]+\*)\n", kept, text, flags=re.MULTILINE)


def _on_read(app: Any, docname: str, source: list[str]) -> None:
    source[0] = without_missing(source[0], Path(app.srcdir, docname).parent)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("source-read", _on_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
