"""Trials that start from the weights of a trained network, and say so truly."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.driver.assignment import Report
from search.store import Store, open_store
from space.inclusion import inclusion_kinds
from tests.search.driving import accuracy, begin, end, epoch, train
from tests.search.small import config


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


def test_a_child_starts_from_the_best_network_that_it_contains(
    store: Store, tmp_path: Path
) -> None:
    protocol = {"epochs": 2, "initialisation": "inherited"}
    settings = config(tmp_path, trials=24, protocol=protocol)
    session = begin(store, settings)
    parents = {}
    while (assignment := session.next_assignment()) is not None:
        id_ = assignment.architecture.id
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text("weights")
        if assignment.parent is not None:
            parents[assignment.trial.number] = assignment.parent, assignment.architecture
            assert assignment.parent.checkpoint.exists()
        train(session, assignment, [accuracy(id_, 1), accuracy(id_, 2)])
    trials = {t.number: t for t in store.trials.of_study(session.record.id)}
    by_id = {t.id: t for t in trials.values()}
    assert parents
    for number, (given, child) in parents.items():
        parent = by_id[trials[number].parent_trial_id or 0]
        assert parent.architecture_id == given.architecture.id
        assert parent.number < number
        along = inclusion_kinds(given.architecture, child)
        assert trials[number].inherited_along == " + ".join(map(str, along or ()))
        assert trials[number].lineage_seconds == parent.seconds + parent.lineage_seconds > 0
    assert store.studies.summary(session.record.id).inherited == len(parents)


def test_a_parent_that_was_lost_is_not_claimed(store: Store, tmp_path: Path) -> None:
    protocol = {"epochs": 2, "initialisation": "inherited"}
    session = begin(store, config(tmp_path, trials=24, protocol=protocol))
    while (assignment := session.next_assignment()) is not None:
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text("weights")
        number = assignment.trial.number
        session.started(number)
        inherited = None if assignment.parent is None else False
        report = Report((epoch(1, 0.5), epoch(2, 0.6)), complete=True, inherited=inherited)
        session.reported(number, report)
        session.ended(number, report)
    trials = store.trials.of_study(session.record.id)
    assert {(t.parent_trial_id, t.inherited_along, t.lineage_seconds) for t in trials} == {
        (None, None, 0.0)
    }


def test_a_parent_lost_between_two_runs_is_not_claimed(store: Store, tmp_path: Path) -> None:
    protocol = {"epochs": 2, "initialisation": "inherited"}
    settings = config(tmp_path, trials=24, protocol=protocol)
    session = begin(store, settings)
    while (assignment := session.next_assignment()) is not None and assignment.parent is None:
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text("weights")
        train(session, assignment, [0.4, 0.5])
    assert assignment is not None
    assert assignment.parent is not None
    end(store, session)
    assignment.parent.checkpoint.unlink()
    resumed = begin(store, settings)
    again = resumed.next_assignment()
    assert again is not None
    assert (again.trial.number, again.parent) == (assignment.trial.number, None)
    assert assignment.trial.lineage_seconds > 0
    assert again.trial.lineage_seconds == 0
    trial = store.trials.get(again.trial.id)
    assert (trial.parent_trial_id, trial.inherited_along, trial.lineage_seconds) == (None, None, 0)
