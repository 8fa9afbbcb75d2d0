"""A study with a mixer that somebody registered: every page, where it is known and where not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.query import operator_records
from search.store import Store, open_store
from search.visualization.relation_graph_figure import relation_graph_figure
from space import DesignSpace
from space.custom.registry import forget
from tests.dashboard import stores
from tests.dashboard.conftest import Open
from tests.dashboard.test_pages import FILES, texts
from tests.space.own_mixers import POOLED, Pool, put

NAME = "test pool"
STAGE = {"depth": 1, "width": 16, "mixers": [NAME]}


def register() -> None:
    put(NAME, Pool, options={"kernel_size": 3}, marks=POOLED, relatives={"DW-S Conv.": "learned"})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    register()
    space = DesignSpace.from_dict(
        {"input": {"channels": 1, "size": 28}, "classes": 10, "stages": [STAGE]}
    )
    path = tmp_path / "custom.db"
    with open_store(str(path), create=True) as store:
        study = stores.add_study(store, "custom", 3)
        run = stores.begin_run(store, study.id)
        for point in space.sample(3, seed=0):
            trial = stores.add_trial(store, study.id, run.id, f"named:{NAME}", point)
            stores.train(store, trial, run.id, point, stores.EPOCHS)
            store.trials.finish(trial, "complete")
    yield path
    forget(NAME)


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with open_store(str(file), create=False) as opened:
        yield opened


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("page", FILES)
def test_page_opens(page: str, known: bool, file: Path, opened: Open, store: Store) -> None:
    trials = store.trials.of_study(store.studies.get("custom").id)
    if not known:
        forget(NAME)
    test = opened(page, file, architecture=trials[0].architecture_id)
    assert not test.exception
    assert not test.error
    if page == "relation_graph":
        assert "Mixers that somebody registered stand beneath the twelve" in texts(test)
    if page == "architecture":
        assert ("What each part costs is not known here" in texts(test)) is not known


def test_it_stands_in_the_relation_graph_beneath_the_twelve(store: Store) -> None:
    records = operator_records(store)
    assert list(records)[12:] == [NAME]
    assert records[NAME].alone == 3
    known = relation_graph_figure(records)
    assert f"<b>{NAME}</b>" in "".join(known.data[-1].text)
    assert any("learned" in str(trace.hovertemplate) for trace in known.data)
    forget(NAME)
    unknown = relation_graph_figure(records)
    assert len(unknown.data) == len(known.data) - 1
    assert "a custom mixer that is not registered here" in "".join(unknown.data[-1].hovertext)
