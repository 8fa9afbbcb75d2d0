"""Twenty thousand trials: what is drawn stays small, what matters stays whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from dashboard import queries
from dashboard.navigation import PAGES
from dashboard.queries import state_counts, trial_summaries
from dashboard.scope import Scope
from search.query import best, pareto_front
from search.query.accuracy_cost import POINTS
from search.store import Store, open_store
from search.visualization import frame
from search.visualization.accuracy_cost_figure import accuracy_cost_figure
from tests.dashboard import stores
from tests.dashboard.test_pages import Open, texts
from tests.support.bulk import add_many_trials
from tests.support.thorough import thorough_but_every

COUNT = 20_000


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "many.db"
    with open_store(str(path), create=True) as store:
        add_many_trials(store, stores.add_study(store, "many", COUNT).id, COUNT, blocks=2)
    return path


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    with open_store(str(path), create=False) as opened:
        yield opened


@pytest.fixture
def scope(store: Store) -> Scope:
    st.cache_data.clear()
    return Scope(store, store.url, None, "")


@pytest.mark.parametrize("cost", thorough_but_every(2, ["params", "macs"]))
def test_the_front_is_whole_and_the_rest_a_sample(store: Store, scope: Scope, cost: str) -> None:
    picture = queries.accuracy_cost(scope, cost)  # type: ignore[arg-type]
    found = best(store, top=None)
    rows = [row for row in found if row.is_complete]
    assert picture.front == pareto_front(rows, cost)  # type: ignore[arg-type]
    assert picture.total == len(rows) > 5_000
    assert picture.without == len(found) - len(rows) > 5_000
    assert picture.density is not None
    assert sum(picture.density.counts.values()) == picture.total
    assert POINTS - len(picture.front) - len(picture.named) <= len(picture.others) <= POINTS
    assert all(row.is_complete for row in picture.others)


def test_the_figure_draws_no_more_than_it_says(scope: Scope) -> None:
    picture = queries.accuracy_cost(scope, "params")
    figure = accuracy_cost_figure(picture, "params")
    points = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "markers"]
    assert sum(len(trace.x) for trace in points) == len(picture.shown) < 1200
    (shade,) = (trace for trace in figure.data if trace.type == "heatmap")
    assert (len(shade.x), len(shade.y)) == (len(shade.z[0]) + 1, len(shade.z) + 1)
    counts = [int(many.replace(",", "")) for row in shade.text for many in row if many]
    assert sum(counts) == picture.total
    assert len(figure.to_json()) < 400_000


def test_the_front_stands_in_a_table(opened: Open, path: Path, scope: Scope) -> None:
    front = queries.accuracy_cost(scope, "params").front
    page = opened("accuracy_cost", path)
    assert not page.exception
    (table,) = (each.value for each in page.dataframe)
    assert list(table["accuracy"]) == [row.accuracy for row in front[::-1]]
    assert list(table["params"]) == [row.params for row in front[::-1]]
    shown = texts(page)
    assert "a sample that knows nothing of accuracy" in shown
    assert f"of {queries.accuracy_cost(scope, 'params').total:,} networks are points" in shown


def test_history_keeps_every_record(scope: Scope) -> None:
    found = queries.accuracy_over_time(scope)
    assert len(found.points) == frame.MAX_POINTS < found.total
    accuracies = [point.accuracy for point in found.records]
    assert accuracies == sorted(accuracies)
    assert accuracies[-1] == best(scope.store, top=1)[0].accuracy


def test_counts_and_limits(scope: Scope) -> None:
    assert sum(state_counts(scope).values()) == COUNT
    rows = trial_summaries(scope, states=None, order="best", limit=7)
    assert [row.accuracy for row in rows] == sorted((row.accuracy for row in rows), reverse=True)
    assert len(rows) == 7


@pytest.mark.parametrize("file", [entry.name for entry in PAGES])
def test_page_opens(opened: Open, path: Path, file: str) -> None:
    test = opened(file, path)
    assert not test.exception
    assert not test.error
