"""What became of the trials of each operator alone."""

from collections import Counter

from search.query import tried_alone
from search.store import Store, TrialState
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
            store.start_trial(trial.id, run.id)
            store.finish_trial(trial.id, "failed", "train loss is nan")
    found = tried_alone(store, "one")
    names = {architecture(number).id: architecture(number).name for number in range(12)}
    counted = Counter((names[t.architecture_id], t.state) for t in store.trials(study.id))
    assert {(name, s): n for name, fates in found.items() for s, n in fates.items()} == counted
    assert {s for fates in found.values() for s in fates} == {
        TrialState.COMPLETE,
        TrialState.FAILED,
        TrialState.WAITING,
    }
