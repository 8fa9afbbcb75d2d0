"""A real browser on 100,000 trials: every page comes, without a fault, and can be read."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboard.navigation import PAGES, Page
from tests.dashboard.many_trials import TRIALS, many
from tests.dashboard.paths import full_paths
from tests.dashboard.server import Theme, Visitor, dashboard

pytestmark = pytest.mark.browser

PATIENCE = 120_000
"""Milliseconds, for a busy machine; benchmarks.dashboard says what pages take."""
STUDY = "study-0"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.db"
    many(path)
    return path


@pytest.fixture(scope="module")
def visitor(opened_browser: Browser, store: Path) -> Iterator[Visitor]:
    with dashboard([store], store.with_suffix(".log")) as url:
        found = Visitor(opened_browser, url)
        found.store = store.name
        found.page.set_default_timeout(PATIENCE)
        yield found
        found.close()


@pytest.mark.thorough
def test_overview_counts_them(visitor: Visitor) -> None:
    visitor.go("overview", "Overview")
    metric = visitor.page.get_by_test_id("stMetric").filter(has_text="Trials ended")
    shown = metric.get_by_test_id("stMetricValue").inner_text()
    assert int(shown.replace(",", "")) >= TRIALS
    visitor.check()


@pytest.mark.thorough
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, page: Page) -> None:
    visitor.look()
    visitor.go(page.url_path, page.title)
    assert visitor.unreadable() == []
    visitor.check()


@pytest.mark.thorough
@pytest.mark.parametrize("width", [400, 900, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_of_a_study(
    visitor: Visitor, store: Path, page: Page, width: int, theme: Theme
) -> None:
    visitor.look(width, theme)
    visitor.go(full_paths(store, STUDY)[page.name], page.title)
    assert visitor.unreadable() == []
    visitor.check()
