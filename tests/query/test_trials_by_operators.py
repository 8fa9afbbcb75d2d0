"""What became of the trials of each operator: alone, beside others, and in the comparison."""

import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from search.query import OperatorRecord, best, operator_records, paired, trials_by_operators
from search.query.operators import Pair, chance_of_images, state_words
from search.store import ProcessIdentity, Store, TrialState
from space.design.paired_points import PAIRED
from space.relation_graph import NODES
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial


def test_trials_are_counted_by_operators_and_state(store: Store) -> None:
    study, other = add_study(store, "one"), add_study(store, "two")
    run = begin_run(store, study.id)
    complete_trial(store, other.id, begin_run(store, other.id).id, 0, 0.5)
    for number in range(6):
        complete_trial(store, study.id, run.id, number, 0.5)
    for number in range(6, 12):
        trial = add_trial(store, study.id, run.id, number)
        if number % 2:
            store.trials.start(trial.id, run.id)
            store.trials.finish(trial.id, "failed", "train loss is nan")
    found = trials_by_operators(store, "one")
    names = {architecture(number).id: architecture(number).name for number in range(12)}
    counted = Counter((names[t.architecture_id], t.state) for t in store.trials.of_study(study.id))
    assert {(name, s): n for name, fates in found.items() for s, n in fates.items()} == counted
    assert {s for fates in found.values() for s in fates} == {
        TrialState.COMPLETE,
        TrialState.FAILED,
        TrialState.WAITING,
    }


def test_what_a_killed_run_left_is_counted_as_readers_see_it(store: Store) -> None:
    study = add_study(store, "one")
    with subprocess.Popen([sys.executable, "-c", ""]) as driver:
        identity = ProcessIdentity.of(driver.pid)
    run = begin_run(store, study.id, pid=driver.pid, start_ticks=identity.start_ticks)
    store.trials.start(add_trial(store, study.id, run.id, 0).id, run.id)
    assert list(trials_by_operators(store, "one").values()) == [{TrialState.PREEMPTED: 1}]


def test_what_images_may_do_by_chance_is_of_the_mean_accuracy(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for number, accuracy in enumerate((0.8, 0.6)):
        complete_trial(store, study.id, run.id, number, accuracy)
    rows = best(store, study=study.name)
    pairs = [Pair("ViT", rows[0], 0.0), Pair("PVT", replace(rows[1], accuracy=None), 0.8)]
    found = chance_of_images(pairs, 1000)
    assert found == pytest.approx(1.96 * math.sqrt(2 * 0.4 * 0.6 / 1000))


def test_the_comparison_is_of_its_complete_networks_the_best_first(store: Store) -> None:
    study = add_study(store, "one")
    run = begin_run(store, study.id)
    for number, (operator, accuracy) in enumerate((("ViT", 0.5), ("MLP", 0.75), ("PVT", None))):
        origin = f"{PAIRED}{operator}"
        complete_trial(store, study.id, run.id, number, accuracy, origin=origin)
    again = {"repeat": 1, "origin": "repeats trial 0"}  # of another origin, and the best of its own
    complete_trial(store, study.id, run.id, 0, 0.6, **again)
    complete_trial(store, study.id, run.id, 4, 0.9)
    add_trial(store, study.id, run.id, 5, origin=f"{PAIRED}Conv.")
    found = paired(store, "one", best(store, study="one", top=None))
    assert [(each.operator, each.row.architecture_id) for each in found] == [
        ("MLP", architecture(1).id),
        ("ViT", architecture(0).id),
    ]
    assert [each.behind for each in found] == [0, pytest.approx(0.2)]
    # Two shares of 100 images at their mean of 0.65.
    assert chance_of_images(found, 100) == pytest.approx(1.96 * (2 * 0.65 * 0.35 / 100) ** 0.5)
    assert paired(store, "one", []) == []


def test_an_operator_has_a_record_also_without_an_accuracy(store: Store) -> None:
    study = add_study(store, "one")
    run = begin_run(store, study.id)
    first = {architecture(number).name: number for number in reversed(range(2000))}
    names = [name for name in NODES if name in first][:3]
    alone = [first[name] for name in names]
    complete_trial(store, study.id, run.id, alone[0], None)
    complete_trial(store, study.id, run.id, alone[1], 0.5)
    add_trial(store, study.id, run.id, alone[2])
    records = operator_records(store, study="one")
    assert list(records)[: len(NODES)] == list(NODES)
    assert records[names[0]] == OperatorRecord(1, 0)
    assert records[names[1]] == OperatorRecord(1, 0, 0.5, architecture(alone[1]).id, pruned=False)
    assert records[names[2]] == OperatorRecord(1, 0)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (None, "not tried alone"),
        ({}, "not tried alone"),
        ({TrialState.FAILED: 1}, "failed"),
        ({TrialState.FAILED: 2}, "2 failed"),
        ({TrialState.COMPLETE: 1}, "complete without accuracy"),
        (
            {TrialState.FAILED: 1200, TrialState.RUNNING: 1, TrialState.COMPLETE: 2},
            "1 running, 2 complete without accuracy, 1,200 failed",
        ),
    ],
)
def test_what_became_of_trials_is_said(counts: dict[TrialState, int] | None, words: str) -> None:
    assert state_words(counts) == words
