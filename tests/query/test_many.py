"""A store with many trials: answers stay right, and go through the indexes (nothing is timed)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, text

from search.query import BestRow, best, pareto_front
from search.store import Store, open_store
from tests.support.bulk import add_many_trials
from tests.support.samples import add_study

COUNT = 5000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("large") / "s.db"
    with open_store(str(path), create=True) as store:
        for name in ("first", "second"):
            add_many_trials(store, add_study(store, name).id, COUNT, blocks=2)
        yield store


def statements(store: Store, work: object) -> list[tuple[str, object]]:
    """The queries that `work` sends."""
    sent: list[tuple[str, object]] = []

    def note(_c: object, _k: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            sent.append((statement, values))

    event.listen(store._database.engine, "before_cursor_execute", note)
    try:
        work()  # type: ignore[operator]
    finally:
        event.remove(store._database.engine, "before_cursor_execute", note)
    return sent


def plan(store: Store, statement: str, values: object) -> str:
    """How SQLite answers a query."""
    with store._database.engine.connect() as connection:
        rows = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)  # type: ignore[call-overload]
        return "\n".join(row[3] for row in rows)


def test_summaries_take_three_queries_and_an_index(large: Store) -> None:
    sent = statements(large, large.studies.summaries)
    assert len(sent) == 3
    plans = [plan(large, *query) for query in sent]
    assert any("COVERING INDEX ix_trials_study_id_state_accuracy" in each for each in plans)
    assert [summary.trials for summary in large.studies.summaries()] == [COUNT, COUNT]


def in_order(row: BestRow) -> tuple[bool, float, int]:
    return not row.is_complete, -(row.accuracy or 0), row.params


def test_the_best_are_right(large: Store) -> None:
    every = best(large, top=None)
    assert len(every) == len({row.architecture_id for row in every})
    assert every == sorted(every, key=in_order)
    assert best(large, top=25) == every[:25]
    small = best(large, where="params < 200k and any dynamics = attention", top=None)
    known = [row for row in every if row.params < 200_000]
    assert 0 < len(small) < len(known)
    assert set(small) <= set(known)
    front = pareto_front([row for row in every if row.is_complete])
    assert front[-1] == every[0]


def test_mixers_are_found_by_their_key(large: Store) -> None:
    for clause in ("dynamics = static", "any dynamics = attention"):
        *_, query = statements(large, lambda clause=clause: best(large, where=clause))
        assert "SEARCH architecture_mixers USING" in plan(large, *query)


def test_an_old_connection_sees_new_trials(large: Store) -> None:
    count = text("SELECT count(*) FROM trials")
    assert large.read(lambda connection: connection.scalar(count)) == 2 * COUNT
