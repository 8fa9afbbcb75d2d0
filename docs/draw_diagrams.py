"""Draws the Mermaid diagrams of the pages as SVG, once: python -m docs.draw_diagrams MERMAID.

MERMAID is the file dist/mermaid.min.js of the npm package mermaid (`npm pack mermaid@11.17.2`). It
is run in a Chromium of this machine, through Playwright, which the tests bring. The site then needs
neither: it shows what is drawn here, and its build fails where a diagram was changed since.
"""

import argparse
import hashlib
import re
import shutil
from pathlib import Path

DOCS = Path(__file__).parent
FOLDER = "images/diagrams"
"""Of the pictures, below the pages."""
SETTINGS = """{
  startOnLoad: false, theme: "neutral", htmlLabels: false, deterministicIds: true,
  fontFamily: "sans-serif", flowchart: {htmlLabels: false}, sequence: {useMaxWidth: true}
}"""


def name_of(text: str) -> str:
    """The file of a diagram's picture."""
    return f"{hashlib.sha256(text.strip().encode()).hexdigest()[:16]}.svg"


def diagrams() -> dict[str, str]:
    """The diagrams of all pages, by the file of their picture."""
    found = {}
    for page in sorted(DOCS.glob("**/*.md")):
        for text in re.findall(
            r"^```mermaid\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE
        ):
            found[name_of(text)] = text
    return found


def draw(mermaid: Path, texts: dict[str, str], folder: Path) -> None:
    """Write the picture of each text."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content("<html><body></body></html>")
        page.add_script_tag(path=mermaid)
        page.evaluate(f"mermaid.initialize({SETTINGS})")
        for name, text in texts.items():
            ask = "async text => (await mermaid.render('diagram', text)).svg"
            svg = str(page.evaluate(ask, text))
            (folder / name).write_text(re.sub(r"<br/>", "<br/>", svg) + "\n")
        browser.close()


def main(arguments: list[str] | None = None) -> None:
    """Draw what is not drawn yet, and remove what no page has any more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("mermaid", type=Path, help="dist/mermaid.min.js of the npm package")
    given = parser.parse_args(arguments)
    folder, wanted = DOCS / FOLDER, diagrams()
    folder.mkdir(parents=True, exist_ok=True)
    for picture in folder.glob("*.svg"):
        if picture.name not in wanted:
            picture.unlink()
    draw(given.mermaid, {n: t for n, t in wanted.items() if not (folder / n).is_file()}, folder)
    print(f"{len(wanted)} diagrams in {folder}")


if __name__ == "__main__":
    main()
