"""How fast studies go, and what their training took."""

import pytest

from search.query import seconds_left, study_pace, training_seconds
from search.store import Store
from tests.support.samples import add_study, add_trial, begin_run, complete_trial


def test_what_was_taken_over_took_nothing(store: Store) -> None:
    first, second, empty = (add_study(store, name) for name in ("a", "b", "c"))
    run, theirs = begin_run(store, first.id), begin_run(store, second.id)
    source = complete_trial(store, first.id, run.id, 0, 0.5)
    complete_trial(store, first.id, run.id, 1, 0.5)
    copy = add_trial(store, second.id, theirs.id, 0)
    assert store.results.reuse(copy.id, source.id, theirs.id)
    complete_trial(store, second.id, theirs.id, 2, 0.5)
    assert training_seconds(store) == {first.id: 2.0, second.id: 1.0}
    assert empty.id not in training_seconds(store)


def test_the_pace_is_that_of_the_present_run(store: Store) -> None:
    study = add_study(store, "s", planned_trials=10)
    earlier = begin_run(store, study.id)
    complete_trial(store, study.id, earlier.id, 9, 0.5)
    store.runs.end(earlier.id)
    run = begin_run(store, study.id)
    for number in range(4):
        complete_trial(store, study.id, run.id, number, 0.5)
        pace = study_pace(store, store.studies.summary(study.id))
        assert (pace is not None) is (number >= 2)
    assert pace is not None
    # Five of ten have ended, four of them in this run: as long again as five take.
    assert pace.seconds_left * pace.trials_per_hour / 3600 == pytest.approx(5)
    left = seconds_left(store, store.studies.summaries())
    assert left is not None
    assert left >= pace.seconds_left
    store.runs.end(run.id)
    assert study_pace(store, store.studies.summary(study.id)) is None


def test_a_run_that_ends_while_it_is_asked_for_has_no_pace(store: Store) -> None:
    study = add_study(store, "s", planned_trials=10)
    run = begin_run(store, study.id)
    for number in range(4):
        complete_trial(store, study.id, run.id, number, 0.5)
    before = store.studies.summary(study.id)
    assert before.is_running
    store.runs.end(run.id)
    assert study_pace(store, before) is None
    assert seconds_left(store, [before]) is None
