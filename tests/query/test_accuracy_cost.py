"""What the database says of accuracy against cost, held to a whole read of the rows."""

import math
import random
import sqlite3
from collections import Counter

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.orm import Session

from search.query import AccuracyCost, Cost, accuracy_cost, best, operator_ranks, pareto_front
from search.query.accuracy_cost import COLUMNS, ROWS
from search.store import Store, TrialState
from search.store import database as databases
from search.store.models import ArchitectureRow, TrialRow
from space.errors import InputError
from space.relation_graph import NODES
from tests.support.bulk import add_many_trials
from tests.support.samples import add_study

COUNT = 120
CLAUSES = (None, "params > 20", "state = complete", "not state = complete", "study = second")
CLAUSES += ("any kernel >= 5", "block_type = conv and accuracy > 0.3", "params > 1000", "depth < 1")


def fill(store: Store, seed: int) -> None:
    """Random trials of two studies with many ties, repeats and networks of one operator."""
    for name in ("first", "second"):
        add_many_trials(store, add_study(store, name).id, COUNT, blocks=2)
    rng = random.Random(seed)

    def change(connection: Connection) -> None:
        ranges = [(7, 7), (5, 60), (1, 10**9)][seed]
        session = Session(connection)
        for network in session.scalars(select(ArchitectureRow).order_by(ArchitectureRow.id)):
            network.params, network.macs = rng.randint(*ranges), rng.randint(*ranges)
            if rng.random() < 0.3:
                network.operators = rng.choice([*NODES, "my/own"])
        trials = session.scalars(select(TrialRow).order_by(TrialRow.id)).all()
        steps = [8, 1, 1000][seed]
        for trial in trials:
            trial.accuracy = rng.choice([None, *[rng.randint(0, steps) / steps] * 9])
        for trial in rng.sample(trials, 30):
            _repeat(session, trial, rng)
        session.flush()

    store.write(change)


def _repeat(session: Session, trial: TrialRow, rng: random.Random) -> None:
    keys = [each.key for each in TrialRow.__mapper__.column_attrs if each.key != "id"]
    changed = {
        "number": trial.number + COUNT,
        "repeat": 1,
        "accuracy": rng.random(),
        "seeds": {"initialisation": rng.choice([1, 2])},
        "state": rng.choice([TrialState.COMPLETE, TrialState.PRUNED]),
    }
    session.execute(insert(TrialRow), [{key: getattr(trial, key) for key in keys} | changed])
    network = session.get_one(ArchitectureRow, trial.architecture_id)
    network.trials = 2


@pytest.fixture(params=range(3))
def filled(store: Store, request: pytest.FixtureRequest) -> Store:
    fill(store, request.param)
    return store


@pytest.mark.parametrize("cost", ["params", "macs"])
def test_front_counts_and_named_are_those_of_a_whole_read(filled: Store, cost: Cost) -> None:
    for where in CLAUSES:
        rows = best(filled, where=where, top=None)
        for points in (10, 1000):
            found = accuracy_cost(filled, cost, where=where, points=points)
            assert found == AccuracyCost.of(rows, cost, points), where
            _holds(found, cost, points)
        known = [row for row in rows if row.is_complete and row.accuracy is not None]
        assert found.front == pareto_front(rows, cost)
        named = [each.row for each in operator_ranks(known) if each.name in NODES]
        assert found.named == named
        assert (found.total, found.without) == (len(known), len(rows) - len(known))
        assert {row.trial_id for row in found.shown} == {row.trial_id for row in known}
        assert found.points == len(known) <= len(found.shown)


def _holds(found: AccuracyCost, cost: Cost, points: int) -> None:
    assert (found.density is None) == (found.total <= points)
    assert len(found.others) <= points
    assert len({row.architecture_id for row in found.others}) == len(found.others)
    if found.density is not None:
        counts = Counter(found.density.counts)
        assert counts.total() == found.total
        for column, row in counts:
            assert 0 <= column < COLUMNS
            assert 0 <= row < ROWS
        low, high = found.density.costs
        assert all(low <= getattr(row, cost) <= high for row in found.shown)


def test_a_cell_holds_what_lies_between_its_edges(filled: Store) -> None:
    found = accuracy_cost(filled, points=10)
    assert found.density is not None
    rows = [row for row in best(filled, top=None) if row.is_complete and row.accuracy is not None]
    for (column, row), many in found.density.counts.items():
        inside = [
            each
            for each in rows
            if _between(math.log(each.params), *map(math.log, found.density.costs), column, COLUMNS)
            and _between(each.accuracy or 0.0, *found.density.accuracies, row, ROWS)
        ]
        assert len(inside) >= many  # what lies on an edge is counted once, and is in two here


def _between(value: float, low: float, high: float, cell: int, cells: int) -> bool:
    width, rest = (high - low) / cells, 1e-9 * max(1.0, abs(high))
    return low + cell * width - rest <= value <= low + (cell + 1) * width + rest


def test_a_sample_stays_as_trials_are_added(store: Store) -> None:
    study = add_study(store)
    add_many_trials(store, study.id, 400, blocks=1)
    before = {row.trial_id for row in accuracy_cost(store, points=20).others}
    rows = [row for row in best(store, top=None) if row.is_complete]
    middle = sorted(row.accuracy or 0.0 for row in rows)[len(rows) // 2]
    high = [row for row in rows if row.trial_id in before and (row.accuracy or 0.0) > middle]
    assert 3 <= len(high) <= 17  # it knows nothing of accuracy
    add_many_trials(store, add_study(store, "more").id, 20, blocks=1)
    after = {row.trial_id for row in accuracy_cost(store, points=20).others}
    assert len(before & after) >= 15


def test_an_unknown_cost_is_refused(store: Store) -> None:
    add_study(store)
    with pytest.raises(InputError, match="params, macs"):
        accuracy_cost(store, "latency")  # type: ignore[arg-type]


def test_an_sqlite_without_mathematics_gets_what_is_needed() -> None:
    class Bare(sqlite3.Connection):
        """As one that was built without them."""

        def execute(self, *given: object) -> sqlite3.Cursor:  # type: ignore[override]
            if given[0] == "SELECT ln(1.0), floor(1.0)":
                raise sqlite3.OperationalError("no such function: ln")
            return super().execute(*given)  # type: ignore[arg-type]

    connection = sqlite3.connect(":memory:", factory=Bare)
    databases._add_logarithm(connection)
    asked = "SELECT ln(7.5), floor(2.9), floor(-0.5), ln(NULL), floor(NULL)"
    found = connection.execute(asked).fetchone()
    connection.close()
    assert found == (math.log(7.5), 2, -1, None, None)
