"""A real browser on a store without studies."""

from collections.abc import Callable

import pytest

from dashboard.navigation import PAGES, Page
from tests.dashboard.server import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visit: Callable[[str], Visitor], page: Page) -> None:
    visitor = visit("empty")
    if visitor.page.url == "about:blank":
        visitor.go("", PAGES[0].title)
    visitor.menu(page.title)
    assert visitor.page.get_by_text("This store holds no study yet.").is_visible()
    assert visitor.page.get_by_text("make search").first.is_visible()
    visitor.check()
