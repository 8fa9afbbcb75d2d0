"""The pages need no network: what a browser would fetch from elsewhere is an error."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.util import logging

_LOG = logging.getLogger(__name__)

_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc\s*=\s*["'](?:https?:)?//[^"']*"""
    r"""|<link\b(?=[^>]*\brel\s*=\s*["'](?:stylesheet|preload|preconnect|icon|dns-prefetch))"""
    r"""[^>]*?\bhref\s*=\s*["'](?:https?:)?//[^"']*"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//[^"')]*"""
    r"""|url\(\s*["']?(?:https?:)?//[^"')]*""",
    re.IGNORECASE,
)


def loaded_from_outside(text: str) -> list[str]:
    """What of a page or a style sheet a browser fetches from another host."""
    return _LOADED.findall(text)


def _found(folder: Path) -> Iterator[tuple[Path, str]]:
    for kind in ("*.html", "*.css", "*.svg"):
        for file in sorted(folder.rglob(kind)):
            for each in loaded_from_outside(file.read_text(encoding="utf-8")):
                yield file, each


def _on_finish(app: Any, error: Exception | None) -> None:
    if error is None and app.builder.name == "html":
        for file, each in _found(Path(app.outdir)):
            _LOG.warning("%s fetches from elsewhere: %s", file.name, each)


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("build-finished", _on_finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
