"""A real browser on a study that runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.navigation import PAGES, Page
from search.store import TrialState, open_store
from tests.dashboard import stores
from tests.dashboard.server import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def store_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store of its own, as a test here writes to it."""
    path = tmp_path_factory.mktemp("running") / "running.db"
    stores.running(path)
    return {"running": path}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visit: Callable[[str], Visitor], page: Page) -> None:
    visitor = visit("running")
    visitor.go("" if page is PAGES[0] else page.url_path, page.title)
    assert visitor.page.get_by_text("make search").count() == 0
    visitor.check()


def test_progress_follows_the_store(
    visit: Callable[[str], Visitor], store_files: dict[str, Path]
) -> None:
    """What a worker writes appears without anybody touching the page."""
    visitor = visit("running")
    visitor.go("", "Live progress")
    visitor.page.get_by_text("12 of 26 planned trials ended").wait_for()
    with open_store(str(store_files["running"]), create=False) as store:
        study = store.studies.get("quickstart")
        trial = store.trials.of_study(study.id, [TrialState.RUNNING])[0]
        store.trials.finish(trial.id, "failed", "train loss is inf in epoch 3, step 1")
    visitor.page.get_by_text("13 of 26 planned trials ended").wait_for()
    visitor.check()
