"""The course of accuracies that the database thins, against one that reads all trials."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from search.query import EndedTrial, accuracy_over_time, state_counts, trial_summaries
from search.store import Store, TrialState
from search.visualization.frame import thinned
from tests.support.samples import add_study, add_trial, architecture, begin_run, epoch

HEIGHTS = (None, 0.2, 0.3, 0.3, 0.5, 0.8)
STATES = ("complete", "complete", "complete", "pruned", "failed", "running")


def fill(store: Store, seed: int, trials: int) -> list[EndedTrial]:
    """A study of random trials, and those that ended with an accuracy, in order of their ends."""
    rng = random.Random(seed)
    study = add_study(store)
    run = begin_run(store, study.id)
    for number in rng.sample(range(200), trials):
        trial = add_trial(store, study.id, run.id, number)
        store.trials.start(trial.id, run.id)
        store.epochs.record(trial.id, epoch(1, rng.choice(HEIGHTS)))
        state = rng.choice(STATES)
        if state != "running":
            store.trials.finish(trial.id, state, None if state == "complete" else "why")
    names = {architecture(number).id: architecture(number).name for number in range(200)}
    found = [
        EndedTrial(
            t.ended, t.accuracy, t.state, t.number, t.architecture_id, names[t.architecture_id]
        )
        for t in sorted(store.trials.of_study(study.id), key=lambda t: (str(t.ended), t.id))
        if t.state in ("complete", "pruned") and t.accuracy is not None and t.ended is not None
    ]
    assert [each.ended for each in found] == sorted(each.ended for each in found)
    return found


def records(trials: Sequence[EndedTrial]) -> list[EndedTrial]:
    found: list[EndedTrial] = []
    for trial in trials:
        is_first = not found or trial.accuracy > found[-1].accuracy
        if trial.state is TrialState.COMPLETE and is_first:
            found.append(trial)
    return found


@pytest.mark.parametrize(("seed", "trials"), [(0, 0), (1, 1), (2, 23), (3, 40)])
def test_the_course_is_that_of_all_trials_thinned(store: Store, seed: int, trials: int) -> None:
    every = fill(store, seed, trials)
    for points in (1, 2, 3, 5, 7, 11, len(every) or 1, 100):
        found = accuracy_over_time(store, points=points)
        assert found.points == thinned(every, points)
        assert found.records == records(every)
        assert found.total == len(every)
        assert found.states == state_counts(store)
        assert sum(found.states.values()) == trials


def test_a_filter_has_a_course_of_its_own(store: Store) -> None:
    every = fill(store, 4, 40)
    low = [each for each in every if each.accuracy < 0.4]
    found = accuracy_over_time(store, where="accuracy < 0.4", study="study", points=5)
    assert (found.points, found.records) == (thinned(low, 5), records(low))
    assert 0 < found.total == len(low) < len(every)


@pytest.mark.parametrize(
    "clause",
    ["kernel >= 5", "any dynamics = attention", "params > 5k", "state = failed", "tag = good", ""],
)
def test_counts_of_a_filter_are_those_of_its_trials(store: Store, clause: str) -> None:
    fill(store, 7, 30)
    for trial in store.trials.of_study(1)[::3]:
        store.tags.add(trial.architecture_id, "good")
    found = accuracy_over_time(store, where=clause or None, points=5)
    rows = trial_summaries(store, where=clause or None)
    states = Counter(row.state for row in rows)
    assert found.states == {state: states[state] for state in TrialState}
    assert state_counts(store, where=clause or None) == found.states


def test_what_a_dead_driver_left_open_counts_as_preempted(store: Store) -> None:
    study = add_study(store)
    dead = begin_run(store, study.id, start_ticks=1)
    store.trials.start(add_trial(store, study.id, dead.id, 1).id, dead.id)
    found = accuracy_over_time(store, points=5)
    assert found.states[TrialState.PREEMPTED] == 1
    assert found.states[TrialState.RUNNING] == 0
