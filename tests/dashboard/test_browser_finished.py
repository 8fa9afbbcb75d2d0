"""A real browser on a finished study: every page, and the ways between them."""

import json
import re
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import expect

from dashboard.navigation import PAGES, Page
from tests.dashboard import stores
from tests.dashboard.server import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(autouse=True)
def _store(visitor: Visitor) -> None:
    visitor.store = "finished.db"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(visitor: Visitor, page: Page) -> None:
    visitor.go("" if page is PAGES[0] else page.url_path, page.title)
    assert visitor.page.get_by_text("make search").count() == 0
    visitor.check()


def test_where_box(visitor: Visitor) -> None:
    visitor.go("leaderboard", "Leaderboard")
    main = visitor.page.get_by_test_id("stMain")
    expect(main.get_by_text("23 found.")).to_be_visible()
    box = main.get_by_role("textbox", name="Where")
    box.fill("params < 40k")
    box.press("Enter")
    expect(main.get_by_text(re.compile(r"^\d found\."))).to_be_visible()
    beside = visitor.page.get_by_test_id("stSidebar").get_by_role("textbox", name="Where")
    expect(beside).to_have_value("params < 40k")
    assert visitor.parameter("where") == "params < 40k"
    visitor.menu("Accuracy against cost")
    assert visitor.parameter("where") == "params < 40k"
    visitor.check()


@pytest.mark.thorough
def test_bad_where_box(visitor: Visitor) -> None:
    visitor.go("leaderboard?where=params+%3C+40k+and+colour+%3D+red", "Leaderboard")
    expect(visitor.page.get_by_text("The filter cannot be read")).to_be_visible()
    text = visitor.page.get_by_test_id("stCode").inner_text()
    assert text.splitlines()[2].strip() == "^"
    box = visitor.page.get_by_test_id("stMain").get_by_role("textbox", name="Where")
    box.fill("")
    box.press("Enter")
    expect(visitor.page.get_by_text("23 found.")).to_be_visible()
    visitor.settle("Leaderboard")
    visitor.check()


@pytest.mark.thorough
def test_a_point_leads_to_its_architecture(visitor: Visitor) -> None:
    visitor.go("accuracy-cost?where=params+%3C+900k", "Accuracy against cost")
    visitor.click_point(-1)
    visitor.settle("Architecture")
    chosen = visitor.parameter("architecture")
    assert chosen in {point.id for _, point in stores.points(26)}
    expect(visitor.page.get_by_test_id("stMain").get_by_text(str(chosen)).first).to_be_visible()
    assert visitor.parameter("where") == "params < 900k"
    visitor.check()


@pytest.mark.thorough
def test_back_from_an_architecture(visitor: Visitor) -> None:
    """Back shows the chart again, and its old selection does not lead away a second time."""
    visitor.go("accuracy-cost", "Accuracy against cost")
    visitor.click_point(-1)
    visitor.settle("Architecture")
    visitor.page.go_back()
    visitor.settle("Accuracy against cost")
    visitor.page.wait_for_timeout(1000)
    expect(visitor.page.get_by_role("heading", name="Accuracy against cost")).to_be_visible()
    visitor.check()


@pytest.mark.thorough
def test_a_node_leads_to_its_best_architecture(visitor: Visitor) -> None:
    visitor.go("relation-graph", "Relation graph")
    visitor.click_point(-1)
    visitor.settle("Architecture")
    expect(visitor.page.get_by_role("heading", name="MLP", exact=True)).to_be_visible()
    visitor.check()


@pytest.mark.thorough
def test_a_marked_row_leads_to_its_architecture(visitor: Visitor) -> None:
    visitor.go("leaderboard", "Leaderboard")
    visitor.mark_row(0)
    visitor.page.get_by_role("button", name="Open the first").click()
    visitor.settle("Architecture")
    complete = [point for index, (_, point) in enumerate(stores.points(23)) if index % 3 != 2]
    assert visitor.parameter("architecture") == max(complete, key=stores.accuracy_of).id
    visitor.check()


@pytest.mark.thorough
def test_marked_rows_are_compared(visitor: Visitor) -> None:
    visitor.go("leaderboard?study=quickstart", "Leaderboard")
    visitor.mark_row(0)
    expect(visitor.page.get_by_text("1 architecture marked")).to_be_visible()
    assert visitor.page.get_by_role("button", name="Compare", exact=True).is_disabled()
    visitor.mark_row(2)
    expect(visitor.page.get_by_text("2 architectures marked")).to_be_visible()
    ids = _found(visitor, r"retrain ([0-9a-f]+) ([0-9a-f]+) --study quickstart")
    visitor.page.get_by_role("button", name="Compare", exact=True).click()
    visitor.settle("Compare")
    assert visitor.parameter("networks") == ",".join(ids[0])
    assert visitor.parameter("study") == "quickstart"
    main = visitor.page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name="What differs, from image to logits")).to_be_visible()
    visitor.check()


@pytest.mark.thorough
def test_marks_stay_with_their_rows_or_go(visitor: Visitor) -> None:
    visitor.go("leaderboard?study=quickstart&sort=fewest+params", "Leaderboard")
    visitor.mark_row(0)
    expect(visitor.page.get_by_text("1 architecture marked")).to_be_visible()
    first = _found(visitor, r"retrain ([0-9a-f]+) ")
    box = visitor.page.get_by_test_id("stMain").get_by_role("combobox", name="Sort by")
    box.click()
    visitor.page.get_by_role("option", name="fewest FLOPs").click()
    visitor.settle("Leaderboard")
    visitor.page.wait_for_function(_GONE_OR_OF, arg=f"retrain {first[0]} ")
    visitor.check()


_GONE_OR_OF = """words => {
    const blocks = [...document.querySelectorAll('[data-testid="stCode"]')];
    return blocks.length === 0 || blocks.at(-1).innerText.includes(words);
}"""


def _found(visitor: Visitor, pattern: str) -> list[Any]:
    """What a pattern finds in the last block of commands, once it is there."""
    block = visitor.page.get_by_test_id("stCode").last
    expect(block).to_contain_text(re.compile(pattern))
    return re.findall(pattern, block.inner_text())


@pytest.mark.thorough
def test_trials_are_downloaded(visitor: Visitor) -> None:
    visitor.go("leaderboard?where=state+%3D+pruned&study=quickstart", "Leaderboard")
    for name, suffix in (("CSV", ".csv"), ("Parquet", ".parquet")):
        with visitor.page.expect_download() as coming:
            visitor.page.get_by_role("button", name=name, exact=True).click()
        assert coming.value.suggested_filename == f"quickstart{suffix}"
        file = coming.value.path()
        table = pd.read_csv(file) if suffix == ".csv" else pd.read_parquet(file)
        assert set(table["state"]) == {"pruned"}
        assert set(table["study"]) == {"quickstart"}
        assert table["architecture_id"].str.fullmatch("[0-9a-f]{16}").all()
    visitor.check()


@pytest.mark.thorough
def test_the_first_page_has_a_path_of_its_own(visitor: Visitor) -> None:
    visitor.go("overview", "Overview")
    assert visitor.page.get_by_text("Page not found").count() == 0
    visitor.go("progress", "Live progress")
    assert visitor.page.get_by_text("Page not found").count() == 0
    visitor.check()


@pytest.mark.thorough
def test_deep_link(visitor: Visitor) -> None:
    _, point = stores.points(26)[7]
    visitor.go(f"architecture?architecture={point.id}", "Architecture")
    main = visitor.page.get_by_test_id("stMain")
    expect(main.get_by_role("heading", name=point.name, exact=True)).to_be_visible()
    code = visitor.page.get_by_test_id("stCode").last.inner_text()
    assert json.loads(re.sub(r"\s", "", code)) == point.to_dict()
    visitor.check()
