"""Links with all that a page can be asked, opened by a browser that was never here before."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from dashboard.navigation import PAGES, Page
from tests.dashboard.paths import full_paths
from tests.dashboard.server import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

CHOSEN = {
    "leaderboard": {"sort": "fewest params", "rows": "100"},
    "accuracy_cost": {"cost": "FLOPs"},
    "learning_curves": {"measure": "train loss", "top": "3"},
}
"""What is chosen on pages, as their URLs have it."""
WHERE = "params < 900k"


@pytest.fixture
def stranger(visitor: Visitor) -> Iterator[Visitor]:
    """A browser without cookies, cache or memory."""
    browser = visitor.context.browser
    assert browser is not None
    found = Visitor(browser, visitor.url)
    found.store = "finished.db"
    yield found
    found.close()


@pytest.fixture(scope="module")
def paths(store_files: dict[str, Path]) -> dict[str, str]:
    return full_paths(store_files["finished"], "quickstart")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_shows_what_was_shared(stranger: Visitor, paths: dict[str, str], page: Page) -> None:
    chosen = CHOSEN.get(page.name, {}) | {"where": WHERE}
    stranger.go(f"{paths[page.name]}&{urlencode(chosen)}", page.title)
    sidebar = stranger.page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_role("combobox", name="Study")).to_have_value("quickstart")
    expect(sidebar.get_by_role("textbox", name="Where")).to_have_value(WHERE)
    assert {name: stranger.parameter(name) for name in chosen} == chosen
    stranger.check()


def test_controls_follow_the_link(stranger: Visitor, paths: dict[str, str]) -> None:
    main = stranger.page.get_by_test_id("stMain")
    for page in PAGES:
        chosen = CHOSEN.get(page.name)
        if chosen is None:
            continue
        stranger.go(f"{paths[page.name]}&{urlencode(chosen)}", page.title)
        if page.name == "leaderboard":
            expect(main.get_by_role("combobox", name="Sort by")).to_have_value("fewest params")
            expect(main.get_by_role("combobox", name="Rows")).to_have_value("100")
        elif page.name == "accuracy_cost":
            expect(main.get_by_role("radio", name="FLOPs")).to_be_checked()
        else:
            expect(main.get_by_role("radio", name="train loss")).to_be_checked()
            expect(main.locator(".scatterlayer .trace")).to_have_count(3)
        stranger.check()


def test_back_brings_what_was_chosen(visitor: Visitor) -> None:
    visitor.store = "finished.db"
    main = visitor.page.get_by_test_id("stMain")
    visitor.go("accuracy-cost?study=quickstart", "Accuracy against cost")
    main.get_by_role("radio", name="FLOPs").click()
    expect(main.get_by_role("radio", name="FLOPs")).to_be_checked()
    visitor.page.get_by_role("link", name="Leaderboard").first.click()
    expect(main.get_by_role("combobox", name="Sort by")).to_be_visible()
    visitor.page.go_back()
    expect(main.get_by_role("radio", name="FLOPs")).to_be_checked()
    assert visitor.parameter("cost") == "FLOPs"
    visitor.page.go_forward()
    expect(main.get_by_role("combobox", name="Sort by")).to_be_visible()
    visitor.check()


def test_what_is_not_there_leaves_the_url_for_good(visitor: Visitor) -> None:
    visitor.store = "finished.db"
    main = visitor.page.get_by_test_id("stMain")
    visitor.go("accuracy-cost?study=nowhere", "Accuracy against cost")
    expect(visitor.page.get_by_text("This store has no study")).to_be_visible()
    assert visitor.parameter("study") is None
    main.get_by_role("radio", name="FLOPs").click()
    visitor.page.get_by_role("link", name="Leaderboard").first.click()
    expect(main.get_by_role("combobox", name="Sort by")).to_be_visible()
    visitor.page.go_back()
    expect(main.get_by_role("radio", name="FLOPs")).to_be_checked()
    assert visitor.parameter("study") is None
