"""A real browser on studies of several objectives: the second picture, the front, the ways on."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard.navigation import PAGES, Page
from search.objective_parsing import stored_objectives
from search.query import Evaluated, front
from search.store import open_store
from tests.dashboard import stores
from tests.dashboard.server import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
PAGE = "Accuracy against cost"
HEADING = "The study's own objectives"


@pytest.fixture(autouse=True)
def _store(visitor: Visitor) -> None:
    visitor.store = "objectives.db"


@pytest.fixture(scope="module")
def fronts(store_files: dict[str, Path]) -> dict[str, list[Evaluated]]:
    with open_store(str(store_files["objectives"]), create=False) as store:
        return {
            name: front(store, name, stored_objectives(objectives))
            for name, objectives in stores.OBJECTIVES.items()
        }


@pytest.mark.parametrize("study", list(stores.OBJECTIVES))
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, page: Page, study: str) -> None:
    visitor.turn_to(page, f"?study={study}")
    visitor.check()


@pytest.mark.parametrize("study", list(stores.OBJECTIVES))
def test_a_point_of_the_front_leads_to_its_architecture(
    visitor: Visitor, fronts: dict[str, list[Evaluated]], study: str
) -> None:
    visitor.go(f"accuracy-cost?study={study}", PAGE)
    visitor.click_point(-1, chart=1)
    visitor.settle("Architecture")
    assert visitor.parameter("architecture") == fronts[study][0].architecture_id
    assert visitor.parameter("study") == study
    visitor.menu(PAGE)  # the old selection does not lead away a second time
    visitor.page.wait_for_timeout(1000)
    expect(visitor.page.get_by_role("heading", name=HEADING)).to_be_visible()
    visitor.check()


def test_a_row_of_the_front_leads_to_its_architecture(
    visitor: Visitor, fronts: dict[str, list[Evaluated]]
) -> None:
    visitor.go("accuracy-cost?study=two", PAGE)
    visitor.mark_row(1)
    visitor.settle("Architecture")
    assert visitor.parameter("architecture") == fronts["two"][1].architecture_id
    visitor.check()


def test_two_of_three_objectives_are_chosen(visitor: Visitor) -> None:
    visitor.go("accuracy-cost?study=three", PAGE)
    charts = visitor.page.locator(".js-plotly-plot")
    expect(charts.nth(1).get_by_text("validation accuracy, higher is better")).to_be_visible()
    visitor.page.get_by_role("radio", name="training bytes").last.click()
    visitor.settle(PAGE)
    expect(charts.nth(1).get_by_text("bytes of activations in training")).to_be_visible()
    assert visitor.parameter("across") == "training bytes"
    visitor.check()


def test_a_link_with_an_axis_twice_or_of_another_study_still_opens(visitor: Visitor) -> None:
    for study in stores.OBJECTIVES:
        visitor.go(f"accuracy-cost?study={study}&up=FLOPs&across=FLOPs", PAGE)
        expect(visitor.page.get_by_role("heading", name=HEADING)).to_be_visible()
        expect(visitor.page.locator(".js-plotly-plot")).to_have_count(2)
        visitor.check()
