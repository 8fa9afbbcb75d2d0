"""What the pages read, against the same said slowly in Python, on each kind of database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st

from dashboard.queries import (
    accuracy_cost,
    accuracy_notes,
    accuracy_over_time,
    operator_records,
    seconds_left,
    state_counts,
    summaries,
    trial_summaries,
)
from dashboard.scope import Scope
from search.store import Store, TrialState, open_store
from space.relation_graph import NODES
from tests.dashboard import stores
from tests.support import samples
from tests.support.stores import copy_rows

COUNT = 30
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two studies of the same architectures: one has ended, one runs with two trials left."""
    file = tmp_path_factory.mktemp("filled") / "store.db"
    with open_store(str(file), create=True) as store:
        for name, planned in (("first", COUNT), ("second", COUNT + 2)):
            study = stores.add_study(store, name, planned)
            run = stores.begin_run(store, study.id)
            stores.fill(store, study, run, COUNT)
            if name == "first":
                store.runs.end(run.id)
    return file


@pytest.fixture
def scope(store: Store, filled: Path) -> Scope:
    """A copy of these two studies of one's own, on each kind of database."""
    st.cache_data.clear()
    copy_rows(filled, store)
    return Scope(store, store.url, "second", "")


def test_operator_records(scope: Scope) -> None:
    records = operator_records(scope)
    assert tuple(records) == NODES
    trials = scope.store.trials.of_study(scope.store.studies.get("second").id)
    names = {point.id: point.name.split(" + ") for _, point in stores.points(COUNT)}
    for name, record in records.items():
        alone = [trial for trial in trials if names[trial.architecture_id] == [name]]
        mixed = [trial for trial in trials if name in names[trial.architecture_id]]
        whole = [t for t in alone if t.state is TrialState.COMPLETE]
        best = [t.accuracy for t in whole or alone if t.state in ENDED and t.accuracy]
        assert (record.alone, record.mixed) == (len(alone), len(mixed) - len(alone))
        assert record.best_accuracy == max(best, default=None)
        if record.best_architecture is not None:
            assert names[record.best_architecture] == [name]
        states = {t.state for t in alone if t.architecture_id == record.best_architecture}
        assert record.pruned == (states == {TrialState.PRUNED})
    assert {record.pruned for record in records.values()} == {True, False}


def test_an_operator_has_the_accuracy_of_the_leaderboard(store: Store) -> None:
    """The mean over seeds, so that one lucky training does not lift it."""
    st.cache_data.clear()
    study = samples.add_study(store, "s", protocol_hash="p")
    run = samples.begin_run(store, study.id)
    for repeat, accuracy in enumerate((0.5, 0.9)):
        samples.complete_trial(store, study.id, run.id, 0, accuracy, repeat=repeat)
    steady = samples.complete_trial(store, study.id, run.id, 1, 0.8)
    record = operator_records(Scope(store, store.url, "s", ""))["DW-S Conv."]
    assert (record.alone, record.best_accuracy) == (3, 0.8)
    assert record.best_architecture == steady.architecture_id


def test_the_filter_holds_for_every_read(scope: Scope) -> None:
    some = Scope(scope.store, scope.key, "second", "params < 60k and not dynamics = attention")
    rows = trial_summaries(some, states=None, order="newest", limit=1000)
    assert 0 < len(rows) < COUNT
    assert {row.study for row in rows} == {"second"}
    assert max(row.params for row in rows) < 60_000
    assert sum(state_counts(some).values()) == len(rows)
    ended = [row for row in rows if row.state in ENDED]
    whole = [row for row in ended if row.state is TrialState.COMPLETE]
    assert accuracy_over_time(some).total == len(ended)
    assert accuracy_cost(some, "params").total == len(whole) < len(ended)
    assert sum(record.alone for record in operator_records(some).values()) <= len(rows)


def test_all_studies(scope: Scope) -> None:
    every = Scope(scope.store, scope.key, None, "")
    assert [study.name for study in summaries(every)] == ["second", "first"]
    assert [study.name for study in summaries(scope)] == ["second"]
    assert sum(state_counts(every).values()) == 2 * COUNT
    picture = accuracy_cost(every, "macs")
    assert picture.total + picture.without == COUNT - len(stores.FAILURES)  # an architecture each
    assert picture.without > 0  # pruned
    assert picture.density is None
    assert {row.operators for row in picture.named} <= set(NODES)


def test_nothing_runs_whose_process_is_gone(scope: Scope) -> None:
    """In counts, rows and filters, without a query for each trial and without a change."""
    store, study = scope.store, scope.store.studies.get("second")
    dead = samples.begin_run(store, study.id, start_ticks=1)
    waiting, running = (samples.add_trial(store, study.id, dead.id, n).id for n in range(2))
    store.trials.start(running, dead.id)
    live = samples.add_trial(store, study.id, store.runs.of_study(study.id)[0].id, 2).id
    written = store.trials.of_study(study.id)
    preempted = trial_summaries(scope, states=[TrialState.PREEMPTED], order="newest", limit=9)
    assert [row.id for row in preempted] == [running, waiting]
    assert {row.reason for row in preempted} == set(store.runs.stale().values())
    assert trial_summaries(scope, states=[TrialState.RUNNING], order="newest", limit=9) == []
    (row,) = trial_summaries(scope, states=[TrialState.WAITING], order="newest", limit=9)
    assert (row.id, row.reason) == (live, None)
    counts = state_counts(scope)
    assert [counts[state] for state in ("waiting", "running", "preempted")] == [1, 0, 2]
    assert counts == summaries(scope)[0].counts
    for state, ids in {"preempted": [running, waiting], "waiting": [live], "running": []}.items():
        some = Scope(store, scope.key, "second", f"state = {state} and seconds < 1")
        assert [
            row.id for row in trial_summaries(some, states=None, order="newest", limit=9)
        ] == ids
        assert state_counts(some)[TrialState(state)] == len(ids)
    assert store.trials.of_study(study.id) == written


def test_orders(scope: Scope) -> None:
    study, run = (
        scope.store.studies.get("second"),
        scope.store.runs.of_study(scope.store.studies.get("second").id)[0],
    )
    promising = samples.add_trial(scope.store, study.id, run.id, 0)
    scope.store.epochs.record(promising.id, samples.epoch(1, 0.999))
    scope.store.trials.finish(promising.id, "pruned", "rung")
    every = trial_summaries(scope, states=None, order="best", limit=1000)
    whole = [row for row in every if row.state is TrialState.COMPLETE]
    others = every[len(whole) :]
    assert every[: len(whole)] == whole  # what was stopped early compares with none of them
    for part in (whole, [row for row in others if row.accuracy is not None]):
        heights = [row.accuracy or 0.0 for row in part]
        assert heights == sorted(heights, reverse=True)
    assert others[0].accuracy == 0.999
    assert trial_summaries(scope, states=ENDED, order="best", limit=5) == whole[:5]
    ended = trial_summaries(scope, states=[TrialState.FAILED], order="ended", limit=5)
    assert [row.reason for row in ended] == [stores.FAILURES[2][1], stores.FAILURES[0][1]]


GUESSED = {"chance": 0.564, "validation_images": 1200, "train_images": 4800, "remarks": ["odd"]}
GUESSING = "Guessing the commonest class scores 56.40% of the 1,200 validation images."


def test_what_is_to_be_known_of_accuracies_is_said_once_with_the_studies_it_holds_for(
    store: Store,
) -> None:
    """Without their names where it holds for all; nothing where the store does not tell."""
    st.cache_data.clear()
    studies = {
        "old": ({}, "last"),
        "one": ({"data": GUESSED}, "best"),
        "two": ({"data": GUESSED}, "last"),
        "three": ({"data": GUESSED | {"chance": 0.1}}, "best"),
    }
    for name, (objective, rule) in studies.items():
        samples.add_study(store, name, objective=objective, protocol={"judged_by": rule})
    every = Scope(store, store.url, None, "")
    ten = GUESSING.replace("56.40", "10.00")
    assert accuracy_notes(every, optimistic=False) == [f"three: {ten}", f"two, one: {GUESSING}"]
    notes = accuracy_notes(every)
    assert notes[:2] == accuracy_notes(every, optimistic=False)
    assert len(notes) == 3
    assert notes[2].startswith("Accuracies of one, three are those of the best epoch")
    assert accuracy_notes(every, ("one", "two"))[0] == GUESSING
    assert accuracy_notes(every, ("two",)) == [GUESSING]
    of_three = Scope(store, store.url, "three", "")
    assert accuracy_notes(of_three, optimistic=False) == [ten]
    assert accuracy_notes(of_three)[1].startswith("Accuracies are those of the best epoch")
    assert accuracy_notes(every, ("old",)) == accuracy_notes(every, ()) == []


def test_time_left_is_told_from_three_ended_trials_on(store: Store) -> None:
    st.cache_data.clear()
    study = samples.add_study(store, "s", protocol_hash="p")
    run = samples.begin_run(store, study.id)
    every = Scope(store, store.url, "s", "")
    told = []
    for number in range(4):
        samples.complete_trial(store, study.id, run.id, number, 0.5)
        st.cache_data.clear()
        told.append(seconds_left(every, summaries(every)) is not None)
    assert told == [False, False, True, True]


def test_time_left_is_that_of_the_running_study(scope: Scope) -> None:
    run = scope.store.runs.of_study(scope.store.studies.get("second").id)[0]
    elapsed = (datetime.now(UTC) - run.started) + timedelta(seconds=1)
    every = scope.unfiltered
    left = seconds_left(every, summaries(every))
    assert left is not None
    assert 0 <= left <= elapsed.total_seconds() / COUNT * 2
    scope.store.runs.end(run.id)
    st.cache_data.clear()
    assert seconds_left(scope, summaries(scope)) is None
