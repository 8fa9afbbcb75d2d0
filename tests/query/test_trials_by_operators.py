"""What became of the trials of each operator alone."""

import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from search.query import best, trials_by_operators
from search.query.operators import Pair, chance_of_images
from search.store import ProcessIdentity, Store, TrialState
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
