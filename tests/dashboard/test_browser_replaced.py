"""A real browser on stores that are replaced and deleted under an open page."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from dashboard.navigation import PAGES, Page
from tests.dashboard.paths import by_name
from tests.dashboard.server import Visitor, dashboard

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

BY_THEMSELVES = [by_name("overview"), by_name("progress")]
"""Pages that look at the store again while they are open."""
A_WHILE = 60_000
"""Milliseconds; they look every fifteen seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replaced")


@pytest.fixture(scope="module")
def visitors(
    opened_browser: Browser, folder: Path, store_files: dict[str, Path]
) -> Iterator[list[Visitor]]:
    """Two tabs on a dashboard of a store for each page."""
    files = [folder / f"{page.name}.db" for page in PAGES]
    for file in files:
        shutil.copy(store_files["finished"], file)
    with dashboard(files, folder / "log.txt") as url:
        found = [Visitor(opened_browser, url) for _ in BY_THEMSELVES]
        yield found
        for each in found:
            each.close()


def replace(file: Path, by: Path) -> None:
    """Puts a copy of a store in another's place, at once, as another run of a search would."""
    waiting = file.with_suffix(".new")
    shutil.copy(by, waiting)
    waiting.replace(file)


def test_open_pages_notice_by_themselves(
    visitors: list[Visitor], folder: Path, store_files: dict[str, Path]
) -> None:
    for visitor, page in zip(visitors, BY_THEMSELVES, strict=True):
        visitor.store = f"{page.name}.db"
        visitor.go(page.url_path, page.title)
        replace(folder / visitor.store, store_files["objectives"])
    overview, progress = visitors
    expect(_metric(overview, "Studies")).to_have_text("2", timeout=A_WHILE)
    shown = progress.page.get_by_text("2 studies", exact=True)
    expect(shown).to_be_visible(timeout=A_WHILE)
    for visitor, page in zip(visitors, BY_THEMSELVES, strict=True):
        visitor.settle(page.title)
        visitor.check()
        (folder / visitor.store).unlink()
    for visitor in visitors:
        gone = visitor.page.get_by_text("There is no store here yet.")
        expect(gone).to_be_visible(timeout=A_WHILE)
        visitor.check()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_asked_of_a_page_is_answered_by_the_new_store(
    visitors: list[Visitor], folder: Path, store_files: dict[str, Path], page: Page
) -> None:
    visitor = visitors[0]
    visitor.store = f"{page.name}.db"
    file = folder / visitor.store
    replace(file, store_files["finished"])
    visitor.go(page.url_path, page.title)
    replace(file, store_files["empty"])
    _refresh(visitor, page)
    expect(visitor.page.get_by_text("This store holds no study yet.")).to_be_visible()
    file.unlink()
    _refresh(visitor, page)
    expect(visitor.page.get_by_text("There is no store here yet.")).to_be_visible()
    replace(file, store_files["finished"])
    _refresh(visitor, page)
    box = visitor.page.get_by_role("combobox", name="Study")
    box.click()
    expect(visitor.page.get_by_role("option", name="quickstart")).to_be_visible()
    visitor.page.keyboard.press("Escape")
    visitor.settle(page.title)
    visitor.check()


def _metric(visitor: Visitor, label: str) -> Locator:
    metric = visitor.page.get_by_test_id("stMetric").filter(has_text=label)
    return metric.get_by_test_id("stMetricValue")


def _refresh(visitor: Visitor, page: Page) -> None:
    visitor.page.get_by_role("button", name="Refresh").first.click()
    visitor.settle(page.title)
