"""A real browser on a store whose names and reasons are full of Markdown, HTML and formulas."""

import re

import pytest

from dashboard.navigation import PAGES, Page
from tests.dashboard.server import Visitor
from tests.dashboard.stores import EVIL, NASTY

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

MADE_OF_IT = (
    f'a[href*="{EVIL}"], img[src*="{EVIL}"], [src="x"], .katex, del, em:has-text("em"), '
    'strong:text-is("bold"), b:text-is("h"), code:text-is("c"), tspan:text-is("h"), '
    '[style*="color"]:text-is("r"), [data-testid="stIconMaterial"]:text-is("home")'
)
"""What the names would become, were they read."""


@pytest.fixture(autouse=True)
def _store(visitor: Visitor) -> None:
    visitor.store = "nasty.db"


def shown(visitor: Visitor) -> str:
    text = visitor.page.get_by_test_id("stApp").inner_text().replace("\u2060", "")
    return re.sub(r"\s+", " ", text)


def nothing_made_of_it(visitor: Visitor) -> None:
    assert visitor.page.locator(MADE_OF_IT).count() == 0
    visitor.check()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_names_as_text(visitor: Visitor, page: Page) -> None:
    visitor.turn_to(page)
    if page.name in ("progress", "architecture"):
        visitor.page.get_by_text("**bold**").first.wait_for()
        assert NASTY in shown(visitor)
    nothing_made_of_it(visitor)


def test_boxes_show_names_as_text(visitor: Visitor) -> None:
    visitor.go("learning-curves", "Learning curves")
    for box in ("Study", "Or only these trials"):
        visitor.page.get_by_role("combobox", name=box).click()
        options = visitor.page.get_by_role("option")
        options.last.wait_for()
        assert "**bold** _em_ :red[r] $x^2$ <b>h</b>" in options.last.inner_text()
        nothing_made_of_it(visitor)
        options.last.click()
        visitor.page.keyboard.press("Escape")
        visitor.settle("Learning curves")
        nothing_made_of_it(visitor)


def test_a_hover_shows_names_as_text(visitor: Visitor) -> None:
    visitor.go("accuracy-cost", "Accuracy against cost")
    point = visitor.page.locator(".scatterlayer .trace").last.locator(".points path").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    hover = visitor.page.locator(".hoverlayer .hovertext")
    hover.first.wait_for()
    text = hover.first.text_content() or ""
    assert "**bold** _em_ :red[r] $x^2$ <b>h</b>" in text
    assert "%{x} %{y}" in text
    assert visitor.page.locator(".hoverlayer a").count() == 0
    nothing_made_of_it(visitor)
