"""A real browser on a study that runs."""

from pathlib import Path

import pytest

from dashboard.navigation import PAGES, Page
from search.store import TrialState, open_store
from tests.dashboard.server import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def _store(visitor: Visitor) -> None:
    visitor.store = "running.db"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, page: Page) -> None:
    visitor.turn_to(page)
    assert visitor.page.get_by_text("make search").count() == 0
    visitor.check()


def test_progress_follows_the_store(visitor: Visitor, browsed_files: Path) -> None:
    """What a worker writes appears without anybody touching the page."""
    visitor.go("progress", "Live progress")
    visitor.page.get_by_text("12 of 26 planned trials ended").wait_for()
    with open_store(str(browsed_files / "running.db"), create=False) as store:
        study = store.studies.get("quickstart")
        trial = store.trials.of_study(study.id, [TrialState.RUNNING])[0]
        store.trials.finish(trial.id, "failed", "train loss is inf in epoch 3, step 1")
    visitor.page.get_by_text("13 of 26 planned trials ended").wait_for()
    visitor.check()
