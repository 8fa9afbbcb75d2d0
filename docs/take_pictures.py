"""Takes the pictures of the dashboard anew: python -m docs.take_pictures STORE FAILURES.

Both are stores of real searches: the first of quickstart, with repeats, the second of any search of
which trials failed. The first came of two commands, each some minutes on two cores:

    python -m search run configs/quickstart.yaml
    python -m search repeat quickstart --top 3 --seeds 3

the second of the search for mixers of one's own (docs/own-mixer.md) while one of them was wrong.
A Chromium of this machine opens the pages, through Playwright, which the tests bring.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from dashboard.navigation import PAGES
from search import query
from search.store import open_to_read
from tests.dashboard.server import Visitor, browser, dashboard

FOLDER = Path(__file__).parent / "images/dashboard"
WIDTH, COLOURS = 1440, 200
STUDY = "quickstart"
STORE = "mixspace.db"
"""What the store is called while it is shown: the commands then need not name it."""


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
    """Those of the first store; `ids` are the study's most accurate networks."""
    small = "&where=params+%3C+100k"
    return [
        Picture("overview", "overview", bottom=420),
        Picture("progress", "progress", bottom=1000),
        Picture("leaderboard", "leaderboard", small, bottom=1500, before=_mark_five),
        Picture("accuracy-cost", "accuracy_cost", bottom=920),
        Picture("architecture", "architecture", f"&architecture={ids[0]}", bottom=960),
        Picture("compare", "compare", f"&networks={ids[0]},{ids[1]}", bottom=1270),
        Picture("relation-graph", "relation_graph", bottom=1130),
        Picture("effects", "relation_graph", top=1190, bottom=1880),
        Picture("axes", "axes", bottom=1385),
        Picture("data", "leaderboard", "&where=params+%3C+6k", bottom=1500),
    ]


FAILED = Picture("failures", "failures", bottom=1000, before=_mark_first)
"""That of the second store."""


def take(visitor: Visitor, picture: Picture, study: str, folder: Path) -> None:
    """Writes the file of a picture."""
    page = next(page for page in PAGES if page.name == picture.page)
    visitor.go(f"{page.url_path}?study={study}{picture.parameters}", page.title)
    if picture.before is not None:
        picture.before(visitor)
    visitor.page.set_viewport_size({"width": WIDTH, "height": 3000})
    visitor.settle(page.title)
    visitor.check()
    foot = visitor.page.evaluate(_FOOT)
    height = min(picture.bottom, foot + 24) - picture.top
    path = folder / f"{picture.name}.png"
    clip = {"x": 0, "y": picture.top, "width": WIDTH, "height": height}
    visitor.page.screenshot(path=path, clip=clip)  # type: ignore[arg-type]
    few = Image.open(path).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    visitor.look(WIDTH)


_FOOT = """() => Math.max(
    ...[...document.querySelectorAll('[data-testid="stMain"] [data-testid="stElementContainer"]')]
        .map((each) => each.getBoundingClientRect().bottom))"""


@contextmanager
def shown(store: Path, opened: Browser) -> Iterator[Visitor]:
    """A tab on a dashboard of a copy of the store."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / STORE
        shutil.copy(store, copy)
        with dashboard([copy], Path(folder) / "log.txt", folder=Path(folder)) as url:
            visitor = Visitor(opened, url)
            visitor.store = STORE
            visitor.look(WIDTH)
            yield visitor
            visitor.close()


def main(arguments: list[str] | None = None) -> None:
    """Take all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("store", type=Path, help=f"has the study {STUDY}")
    parser.add_argument("failures", type=Path, help="has a study with failed trials")
    parser.add_argument("--only", nargs="*", help="names of pictures")
    given = parser.parse_args(arguments)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        parser.error("no chromium is installed")
    with open_to_read(str(given.store)) as store:
        ids = [row.architecture_id for row in query.best(store, study=STUDY, top=2)]
    with open_to_read(str(given.failures)) as store:
        name = store.studies.summaries()[0].name
    FOLDER.mkdir(parents=True, exist_ok=True)
    with browser(program) as opened:
        for path, study, every in (
            (given.store, STUDY, pictures(ids)),
            (given.failures, name, [FAILED]),
        ):
            chosen = [each for each in every if not given.only or each.name in given.only]
            with shown(path, opened) as visitor:
                for picture in chosen:
                    take(visitor, picture, study, FOLDER)


if __name__ == "__main__":
    main()
