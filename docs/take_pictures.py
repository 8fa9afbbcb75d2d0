"""Takes the pictures of the dashboard anew from a store: python -m docs.take_pictures STORE.

The store's newest study of one objective is shown, so it has to hold a real search; that of the
pages came of three commands:

    python -m search run configs/quickstart.yaml --store pictures.db
    python -m search repeat quickstart --top 3 --seeds 3 --store pictures.db
    python -m search run configs/quickstart.yaml --store pictures.db --study too-fast \\
        --set protocol.learning_rate=20 --set protocol.warmup_epochs=0 --set trials=16 \\
        --set 'initial=[named]'

The last learns so fast that some of its trainings break off, which is what the page of failures
shows. A Chromium of this machine opens the pages, through Playwright, which the tests bring.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dashboard.navigation import PAGES
from search import query
from search.store import open_to_read
from tests.dashboard.server import Visitor, browser, dashboard

FOLDER = Path(__file__).parent / "images/dashboard"
WIDTH, COLOURS = 1280, 96
ACCURATE, BROKEN = "quickstart", "too-fast"
"""The studies: one that was searched, and one whose trainings break off."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture shows.

    Attributes:
        name: of its file, without the ending.
        page: by its name. parameters: of its URL, beside the study.
        top, bottom: of the cut, in pixels of the page; its foot is that of what there is.
        before: what is done on the page first.
    """

    name: str
    page: str
    parameters: str = ""
    top: int = 60
    bottom: int = 900
    study: str = ACCURATE
    before: Callable[[Visitor], None] | None = None


def _mark_five(visitor: Visitor) -> None:
    for row in range(5):
        visitor.mark_row(row)
        visitor.settle("Leaderboard")
    visitor.page.get_by_text("5 architectures marked").wait_for()


def _mark_first(visitor: Visitor) -> None:
    visitor.mark_row(0)
    visitor.page.get_by_role("heading", name="Its trials").wait_for()


def pictures(ids: list[str]) -> list[Picture]:
    """All pictures; `ids` are the study's most accurate networks."""
    return [
        Picture("overview", "overview", bottom=420),
        Picture("progress", "progress", bottom=900),
        Picture("leaderboard", "leaderboard", "&rows=25", 60, 1450, before=_mark_five),
        Picture("accuracy-cost", "accuracy_cost", bottom=960),
        Picture("architecture", "architecture", f"&architecture={ids[0]}", bottom=900),
        Picture("compare", "compare", f"&networks={ids[0]},{ids[1]}", bottom=1180),
        Picture("relation-graph", "relation_graph", bottom=1000),
        Picture("effects", "relation_graph", top=1010, bottom=1700),
        Picture("failures", "failures", bottom=900, study=BROKEN, before=_mark_first),
    ]


def take(visitor: Visitor, picture: Picture, folder: Path) -> None:
    """Writes the file of a picture."""
    page = next(page for page in PAGES if page.name == picture.page)
    visitor.go(f"{page.url_path}?study={picture.study}{picture.parameters}", page.title)
    if picture.before is not None:
        picture.before(visitor)
    visitor.page.set_viewport_size({"width": WIDTH, "height": 3000})
    visitor.settle(page.title)
    visitor.check()
    path = folder / f"{picture.name}.png"
    foot = visitor.page.evaluate(_FOOT)
    height = min(picture.bottom, foot + 24) - picture.top
    clip = {"x": 0, "y": picture.top, "width": WIDTH, "height": height}
    visitor.page.screenshot(path=path, clip=clip)
    Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    visitor.page.set_viewport_size({"width": WIDTH, "height": 1000})


_FOOT = """() => Math.max(
    ...[...document.querySelectorAll('[data-testid="stMain"] [data-testid="stElementContainer"]')]
        .map((each) => each.getBoundingClientRect().bottom))"""


def main(arguments: list[str] | None = None) -> None:
    """Take all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("store", type=Path, help="a store with the studies that are shown")
    parser.add_argument("--only", nargs="*", help="names of pictures")
    given = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        parser.error("no chromium is installed")
    with open_to_read(str(given.store)) as store:
        ids = [row.architecture_id for row in query.best(store, study=ACCURATE, top=2)]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as logs,
        dashboard([given.store], Path(logs) / "log.txt") as url,
        browser(program) as opened,
    ):
        visitor = Visitor(opened, url)
        visitor.store = given.store.name
        visitor.look(WIDTH)
        for picture in pictures(ids):
            if not given.only or picture.name in given.only:
                take(visitor, picture, FOLDER)
        visitor.close()


if __name__ == "__main__":
    main()
