"""A real browser on a store without studies."""

import pytest

from dashboard.navigation import PAGES, Page
from tests.dashboard.server import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.thorough
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, page: Page) -> None:
    visitor.store = "empty.db"
    visitor.turn_to(page)
    assert visitor.page.get_by_text("This store holds no study yet.").is_visible()
    visitor.page.get_by_text("make search").first.wait_for()
    visitor.check()
