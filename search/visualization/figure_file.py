"""Figures as files: HTML that needs no network, and SVG or PNG drawn by a Chrome.

What a machine lacks for a file is said before any work. The scripts of a page are in the file
itself: it is as large as Plotly's (some 5 MB), and shows the same in ten years, or on a train.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from space.errors import InputError, MixspaceError
from space.input.paths import is_folder

if TYPE_CHECKING:
    import plotly.graph_objects as go

SUFFIXES = (".html", ".svg", ".png")
_WIDTH, _HEIGHT = 900, 520
"""Pixels of an image, where the figure does not say."""
_SCALE = 2
"""Pixels of a PNG for one of the figure."""
_START, _EACH = 60, 30
"""Seconds for a Chrome to start, and for each figure, after which it is given up."""
_BROWSER = "BROWSER_PATH"
"""Names the browser to Kaleido; else it looks for one itself."""


class NotDrawn(MixspaceError):
    """Chrome did not draw an image; the reason is its own."""


def refuse_bad_file(path: Path, where: str) -> None:
    """Refuse a file that no figure can be written to, before any work.

    Args:
        path: of the file; one that is there is written anew.
        where: the option that named it.

    Raises:
        InputError: another suffix, a folder that is not there, or an image where Kaleido or a
            Chrome is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        allowed = f"allowed are {', '.join(SUFFIXES)}"
        raise InputError.of(where, f"{str(path)!r} has none of the endings of a figure: {allowed}")
    if not is_folder(path.parent):
        raise InputError.of(where, f"there is no folder {str(path.parent)!r}")
    if suffix != ".html" and (lacking := _lacking()) is not None:
        raise InputError.of(where, f"{suffix} {lacking}, or write an .html file, which needs none")


def _lacking() -> str | None:
    """What an image needs and is not here; None where all is."""
    if any(find_spec(name) is None for name in ("kaleido", "choreographer")):
        return "needs Kaleido: pip install 'mixspace[plot]'"
    from choreographer.browsers.chromium import Chromium

    browser = Chromium.find_browser(skip_local=False)
    if browser is None:
        return f"needs a Chrome or Chromium: install one, name it by {_BROWSER}"
    if not (os.path.isfile(browser) and os.access(browser, os.X_OK)):  # noqa: PTH113
        return f"needs a Chrome or Chromium: {_BROWSER} names {browser!r}, which is no program"
    return None


def write(made: "go.Figure", path: Path, where: str) -> None:
    """Write a figure in the format that the suffix asks for.

    Raises:
        InputError: as `refuse_bad_file`, or the file cannot be written.
        NotDrawn: Chrome failed.
    """
    refuse_bad_file(path, where)
    suffix = path.suffix.lower()
    content = html(made).encode() if suffix == ".html" else images([made], suffix)[0]
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError.of(where, f"{path} cannot be written: {error.strerror}") from None


def html(made: "go.Figure") -> str:
    """A whole page, the same for the same figure; it loads nothing from elsewhere."""
    page: str = made.to_html(
        include_plotlyjs=True,
        include_mathjax=False,
        full_html=True,
        div_id="figure",
        config={"displaylogo": False, "responsive": True},
    )
    return page


def images(figures: "Sequence[go.Figure]", suffix: str) -> list[bytes]:
    """Each figure as an image, drawn by one Chrome after the other.

    Args:
        figures: to draw.
        suffix: ".svg" or ".png".

    Raises:
        NotDrawn: Chrome failed.
    """
    # In a thread of its own: a notebook has a loop that runs already.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_images(figures, suffix))).result()


async def _images(figures: "Sequence[go.Figure]", suffix: str) -> list[bytes]:
    patience = _START + _EACH * len(figures)
    try:
        return await asyncio.wait_for(_by_chrome(figures, suffix), patience)
    except Exception as error:  # of many kinds, of a browser and of its pipes
        late = isinstance(error, TimeoutError)
        reason = f"nothing came within {patience} s" if late else _reason(error)
        raise NotDrawn(f"Chrome did not draw the figure: {reason}") from error


def _reason(error: Exception) -> str:
    """The first sentence; Kaleido's others tell how to install a Chrome."""
    return str(next(iter(error.args), "")) or type(error).__name__


async def _by_chrome(figures: "Sequence[go.Figure]", suffix: str) -> list[bytes]:
    import kaleido

    # No MathJax: Kaleido would fetch it, and no text of ours is a formula.
    async with kaleido.Kaleido(n=1, mathjax=False) as chrome:
        return [await chrome.calc_fig(made, opts=_options(made, suffix)) for made in figures]


def _options(made: "go.Figure", suffix: str) -> dict[str, Any]:
    return {
        "format": suffix.removeprefix("."),
        "width": made.layout.width or _WIDTH,
        "height": made.layout.height or _HEIGHT,
        "scale": _SCALE if suffix == ".png" else 1,
    }
