"""A real browser on every page, at three widths and in both themes: all can be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.navigation import PAGES, Page
from tests.dashboard.paths import full_paths
from tests.dashboard.server import Theme, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

WIDTHS = (400, 900, 1440)
THEMES: tuple[Theme, ...] = ("light", "dark")
LOOKS = [(width, theme) for width in WIDTHS for theme in THEMES]
EXTREMES = [LOOKS[1], LOOKS[-2]]


@pytest.fixture(autouse=True)
def _as_before(visitor: Visitor) -> Iterator[None]:
    yield
    visitor.look()


@pytest.fixture(scope="module")
def paths(store_files: dict[str, Path]) -> dict[str, str]:
    return full_paths(store_files["finished"], "quickstart")


@pytest.mark.parametrize(("width", "theme"), LOOKS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(
    visitor: Visitor, paths: dict[str, str], page: Page, width: int, theme: Theme
) -> None:
    visitor.store = "finished.db"
    visitor.look(width, theme)
    visitor.go(paths[page.name], page.title)
    assert visitor.unreadable() == []
    visitor.check()


@pytest.mark.parametrize(("width", "theme"), EXTREMES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_of_an_empty_store(visitor: Visitor, page: Page, width: int, theme: Theme) -> None:
    visitor.store = "empty.db"
    visitor.look(width, theme)
    visitor.go(page.url_path, page.title)
    assert visitor.unreadable() == []
    visitor.check()


@pytest.mark.parametrize(("width", "theme"), EXTREMES)
@pytest.mark.parametrize("name", ["progress", "leaderboard", "accuracy_cost"])
def test_page_of_several_objectives(
    visitor: Visitor, store_files: dict[str, Path], name: str, width: int, theme: Theme
) -> None:
    page = next(page for page in PAGES if page.name == name)
    visitor.store = "objectives.db"
    visitor.look(width, theme)
    visitor.go(full_paths(store_files["objectives"], "two")[name], page.title)
    assert visitor.unreadable() == []
    visitor.check()


@pytest.mark.parametrize("width", WIDTHS)
def test_charts_as_tables(visitor: Visitor, paths: dict[str, str], width: int) -> None:
    visitor.store = "finished.db"
    visitor.look(width)
    for page in PAGES:
        visitor.go(paths[page.name], page.title)
        for folded in visitor.page.locator("summary").filter(has_text="As a table").all():
            folded.click()
        visitor.settle(page.title)
        assert visitor.unreadable() == []
        visitor.check()


@pytest.mark.parametrize("width", [1280, 1366, 1440])
def test_the_whole_relation_graph_is_seen_on_a_laptop(
    visitor: Visitor, paths: dict[str, str], width: int
) -> None:
    visitor.store = "finished.db"
    visitor.look(width)
    visitor.go(paths["relation_graph"], "Relation graph")
    assert visitor.unreadable() == []
    graph = visitor.page.locator(".st-key-relation-graph").first
    shown, room = graph.evaluate(
        "graph => [graph, graph.parentElement].map(each => each.getBoundingClientRect().width)"
    )
    assert 0 < shown <= room


CUT = """() => {
    const box = document.createElement("div");
    box.textContent = "88.12345678%";
    box.style.cssText = "flex: none; width: 40px; overflow: hidden";
    document.querySelector('[data-testid="stMain"]').append(box);
}"""
WIDE = """() => {
    const box = document.createElement("div");
    box.style.cssText = "width: 3000px; height: 2px";
    document.querySelector('[data-testid="stMain"]').append(box);
}"""
PALE = """() => {
    document.querySelector('[data-testid="stMain"] h1').style.color = "#dddddd";
}"""
OVER = """() => {
    const [first, second] = document.querySelectorAll(".js-plotly-plot .ytick text");
    second.setAttribute("y", first.getAttribute("y"));
    second.setAttribute("transform", first.getAttribute("transform"));
}"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (CUT, "cut off: "),
        (WIDE, "the page can be moved sideways"),
        (PALE, "pale (1."),
        (OVER, "lie on each other: "),
    ],
    ids=["cut", "wide", "pale", "over"],
)
def test_what_cannot_be_read_is_found(visitor: Visitor, fault: str, said: str) -> None:
    visitor.store = "finished.db"
    visitor.go("accuracy-cost", "Accuracy against cost")
    visitor.page.evaluate(fault)
    assert [each for each in visitor.unreadable() if each.startswith(said)]


PAINTED = """() => {
    const pen = document.createElement("canvas").getContext("2d");
    for (const [text, width] of [["whole", 200], ["88.12345678%", 30]]) {
        pen.save();
        pen.beginPath();
        pen.rect(0, 0, width, 20);
        pen.clip();
        pen.fillText(text, 4, 10);
        pen.restore();
    }
}"""


def test_what_a_column_cuts_off_is_found(visitor: Visitor) -> None:
    visitor.store = "finished.db"
    visitor.go("leaderboard", "Leaderboard")
    assert visitor.unreadable() == []
    visitor.page.evaluate(PAINTED)
    assert visitor.unreadable() == ['cut off in a table: "88.12345678%"']
