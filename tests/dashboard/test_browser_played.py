"""A real browser on studies with repeats, limits and retrained networks: all can be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboard.navigation import PAGES, Page
from tests.dashboard.paths import full_paths
from tests.dashboard.server import Visitor, dashboard
from tests.support.played_studies import RETRAINED, played_store

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played_store(tmp_path_factory.mktemp("played"))


@pytest.fixture(scope="module")
def visitor(opened_browser: Browser, store: Path) -> Iterator[Visitor]:
    with dashboard([store], store.with_suffix(".log")) as url:
        found = Visitor(opened_browser, url)
        found.store = store.name
        yield found
        found.close()


@pytest.mark.parametrize(
    ("study", "width"), [("evolved", 400), ("evolved", 1200), ("quick", 900), (RETRAINED, 1440)]
)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, store: Path, page: Page, study: str, width: int) -> None:
    visitor.look(width)
    visitor.go(full_paths(store, study)[page.name], page.title)
    assert visitor.unreadable() == []
    visitor.check()
