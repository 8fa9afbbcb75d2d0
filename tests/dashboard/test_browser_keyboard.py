"""The dashboard without a mouse: the menu, the filter, charts as tables, rows that open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.navigation import PAGES, Page
from tests.dashboard.paths import best_ids, full_paths
from tests.dashboard.server import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

FOCUS = """() => {
    const at = document.activeElement;
    at.dataset.reached = "by Tab";
    const label = at.getAttribute("aria-label") ?? "";
    const text = (at.innerText || label).replace(/\\s+/g, " ").trim();
    return [at.tagName, at.dataset.testid ?? "", text];
}"""
IN_ROW = "row => document.activeElement.id.endsWith(`-${row}`)"
STOPS = 250
"""More than any page has."""


@pytest.fixture(autouse=True)
def _store(visitor: Visitor) -> None:
    visitor.store = "finished.db"


@pytest.fixture(scope="module")
def ids(store_files: dict[str, Path]) -> list[str]:
    return best_ids(store_files["finished"], "quickstart")


def stops(visitor: Visitor) -> Iterator[tuple[str, str, str]]:
    """What has the focus, one Tab after the other; what is still drawn could not have it."""
    visitor.rest()
    for _ in range(STOPS):
        visitor.page.keyboard.press("Tab")
        tag, test_id, text = visitor.page.evaluate(FOCUS)
        if tag == "BODY":
            return
        yield tag, test_id, text
    raise AssertionError(f"the focus does not leave the page after {STOPS} steps")


def tab_to(visitor: Visitor, tag: str, text: str = "", test_id: str = "") -> None:
    """Presses Tab until something of this kind has the focus."""
    for found, its_id, said in stops(visitor):
        if found == tag and text in said and test_id in its_id:
            return
    raise AssertionError(f"no {tag} {text!r} {test_id} is reached by Tab")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tab_reaches_everything(visitor: Visitor, store_files: dict[str, Path], page: Page) -> None:
    visitor.go(full_paths(store_files["finished"], "quickstart")[page.name], page.title)
    found = list(stops(visitor))
    links = [text for _, test_id, text in found if test_id == "stSidebarNavLink"]
    assert [any(page.title in text for text in links) for page in PAGES] == [True] * len(PAGES)
    assert ("INPUT", "Study") in {(tag, text.split(",")[0]) for tag, _, text in found}
    assert ("INPUT", "Where") in {(tag, text) for tag, _, text in found}
    folded = visitor.page.locator("summary[data-reached]").filter(has_text="As a table")
    charts = visitor.page.locator(".js-plotly-plot").count()
    pictures = visitor.page.locator(".st-key-stages .js-plotly-plot").count()
    assert folded.count() == charts - pictures
    tables = visitor.page.get_by_test_id("stDataFrame").count()
    grids = [test_id for tag, test_id, _ in found if test_id.startswith(("data-grid", "glide"))]
    assert bool(grids) is bool(tables)
    visitor.check()


def test_the_menu_by_enter(visitor: Visitor) -> None:
    visitor.go("overview", "Overview")
    tab_to(visitor, "A", "Failures")
    visitor.page.keyboard.press("Enter")
    visitor.settle("Failures")
    visitor.check()


def test_the_filter_by_keys(visitor: Visitor) -> None:
    visitor.go("accuracy-cost", "Accuracy against cost")
    tab_to(visitor, "INPUT", "Where")
    visitor.page.keyboard.type("params < 40k")
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_url("**where=params*")
    visitor.settle("Accuracy against cost")
    visitor.check()


def test_a_chart_as_a_table_by_enter(visitor: Visitor, ids: list[str]) -> None:
    """And on from there to an architecture."""
    visitor.go("accuracy-cost", "Accuracy against cost")
    tables = visitor.page.get_by_test_id("stDataFrame")
    expect(tables).to_have_count(1)  # that of the front
    tab_to(visitor, "SUMMARY", "As a table")
    visitor.page.keyboard.press("Enter")
    expect(tables).to_have_count(2)
    visitor.settle("Accuracy against cost")
    enter_row(visitor, 0)
    visitor.settle("Architecture")
    assert visitor.parameter("architecture")
    visitor.check()


def test_a_row_of_the_leaderboard_by_enter(visitor: Visitor, ids: list[str]) -> None:
    visitor.go("leaderboard", "Leaderboard")
    enter_row(visitor, 1)
    visitor.settle("Architecture")
    assert visitor.parameter("architecture") == ids[1]
    visitor.check()


def test_a_study_of_the_overview_by_enter(visitor: Visitor) -> None:
    visitor.go("overview", "Overview")
    enter_row(visitor, 0)
    visitor.settle("Live progress")
    assert visitor.parameter("study") == "quickstart"
    visitor.check()


def test_marks_by_keys_lead_to_a_comparison(visitor: Visitor, ids: list[str]) -> None:
    visitor.go("leaderboard?study=quickstart", "Leaderboard")
    move_to_row(visitor, 0)
    visitor.page.keyboard.press("Shift+Space")
    expect(visitor.page.get_by_text("1 architecture marked")).to_be_visible()
    visitor.rest()
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.wait_for_function(IN_ROW, arg=1)
    visitor.page.keyboard.press("Shift+Space")
    expect(visitor.page.get_by_text("2 architectures marked")).to_be_visible()
    tab_to(visitor, "BUTTON", "Compare")
    visitor.page.keyboard.press("Enter")
    visitor.settle("Compare")
    assert set(str(visitor.parameter("networks")).split(",")) <= set(ids[:2])
    visitor.check()


def test_a_reason_by_keys_leads_to_its_trials(visitor: Visitor) -> None:
    visitor.go("failures", "Failures")
    move_to_row(visitor, 0)
    visitor.page.keyboard.press("Shift+Space")
    visitor.page.get_by_role("heading", name="Its trials").wait_for()
    visitor.settle("Failures")
    enter_row(visitor, 0, table=1)
    visitor.settle("Architecture")
    visitor.check()


def enter_row(visitor: Visitor, row: int, table: int = 0) -> None:
    """Presses Enter on a row of one of the page's tables."""
    move_to_row(visitor, row, table)
    visitor.page.keyboard.press("Enter")


def move_to_row(visitor: Visitor, row: int, table: int = 0) -> None:
    """Moves the focus of a table to one of its rows, by the arrows."""
    canvas = visitor.page.get_by_test_id("stDataFrame").nth(table).locator("canvas").first
    canvas.focus()
    visitor.page.keyboard.press("Control+Home")
    visitor.page.wait_for_function(IN_ROW, arg=0)
    for place in range(1, row + 1):
        visitor.page.keyboard.press("ArrowDown")
        visitor.page.wait_for_function(IN_ROW, arg=place)
