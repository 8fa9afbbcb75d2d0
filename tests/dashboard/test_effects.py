"""Effects of design decisions on the page of the relation graph and in its figure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.query import Effect, StudyEffects, interval_in_points, study_effects
from search.store import Store, open_store
from search.visualization.measured_graph import measured_graph
from search.visualization.relation_graph_figure import relation_graph_figure
from space.relation_graph import EDGES
from tests.dashboard.conftest import Open, no_components_of_packages, opened, registered_pages
from tests.dashboard.test_pages import texts
from tests.query.curves import study_of
from tests.query.test_study_effects import EDGE, fill

__all__ = ["no_components_of_packages", "opened", "registered_pages"]


def effect_of(found: StudyEffects) -> Effect:
    return next(each for each in found.effects if each.move.name == EDGE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "effects.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with open_store(str(file), create=True) as made:
        yield made


def test_the_page_shows_them_of_one_protocol_at_a_time(
    store: Store, file: Path, opened: Open
) -> None:
    fill(store, study_of(store, "long", 9), -0.1)
    fill(store, study_of(store, "short"), 0.02)
    page = opened("relation_graph", file)
    assert not page.exception
    box = page.sidebar.selectbox(key="protocol")
    assert [option.split(" (")[0] for option in box.options] == ["short", "long"]
    table, *_ = (each.value for each in page.dataframe)
    (row,) = table[table.move == EDGE].to_dict("records")
    assert (row["points"], row["contexts"]) == (pytest.approx(2.0), 4)
    assert row["verdict"] == "helps"
    assert "8 networks of short, judged after 4 epochs" in texts(page)
    chosen = box.select_index(1).run()
    table, *_ = (each.value for each in chosen.dataframe)
    assert table[table.move == EDGE].points.tolist() == [pytest.approx(-10.0)]


def test_the_filter_is_that_of_the_page(store: Store, file: Path, opened: Open) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("relation_graph", file, where="depth <= 2")
    table, *_ = (each.value for each in page.dataframe)
    (row,) = table[table.move == EDGE].to_dict("records")
    assert (row["points"], row["contexts"]) == (pytest.approx(1.9), 2)
    assert "4 networks of s" in texts(page)
    assert "Left out: 4 complete trials of 8 by the clause." in texts(page)


def test_moves_between_types_are_a_click_away(store: Store, file: Path, opened: Open) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("relation_graph", file, moves="Types")
    table, *_ = (each.value for each in page.dataframe)
    assert table.move.tolist() == [EDGE]
    assert "is on the page Axes" in texts(page)
    assert [each.value for each in page.subheader] == ["What each move does"]


def test_a_link_of_before_to_moves_that_stand_elsewhere_opens(
    store: Store, file: Path, opened: Open
) -> None:
    fill(store, study_of(store, "s"), 0.02)
    page = opened("relation_graph", file, moves="Axes")
    assert not page.exception
    table, *_ = (each.value for each in page.dataframe)
    assert EDGE in table.move.tolist()


def test_labels_of_edges_tell_what_was_measured(store: Store) -> None:
    fill(store, study_of(store, "s"), 0.02)
    (found,) = study_effects(store, ["s"])
    labels = relation_graph_figure(None, effects=found.effects).layout.annotations
    told = [each for each in labels if each.text and each.hovertext]
    assert len(told) == len(EDGES)
    (edge,) = (each for each in told if each.hovertext.startswith(EDGE))
    assert edge.text == "Vec. Atten.<br><b>+2.00</b>"
    assert "helps" in edge.hovertext
    assert "4 pairs in 4 contexts" in edge.hovertext
    (whole,) = (
        each.text
        for each in measured_graph(found).layout.annotations
        if each.hovertext == edge.hovertext
    )
    assert whole == f"{edge.text}<br>{interval_in_points(effect_of(found).accuracy)}"
    others = [each for each in told if each is not edge]
    assert all(each.text.endswith("<br>no pair") for each in others)
    plain = relation_graph_figure(None).layout.annotations
    assert "Vec. Atten." in [each.text for each in plain]
