"""All complete trainings of an architecture, with their test readings."""

import math

import pytest

from search.query import Figures, trained_results, trained_results_of_study
from search.store import Store
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

READ = {"images": 100, "chance": 0.1, "content_hash": "c" * 16, "device": "cpu"}


def test_search_and_retraining_stand_side_by_side(store: Store) -> None:
    found = add_study(store, "found", protocol={"epochs": 1, "judged_by": "last"})
    run = begin_run(store, found.id)
    searched = complete_trial(store, found.id, run.id, 0, 0.5)
    add_trial(store, found.id, run.id, 1)
    long = {"protocol": {"epochs": 9}, "protocol_hash": "f" * 16}
    full = add_study(store, "found-retrained", **long)
    again = begin_run(store, full.id)
    trials = [
        complete_trial(store, full.id, again.id, 0, acc, repeat=n, origin="retrains trial 0")
        for n, acc in enumerate((0.7, 0.8))
    ]
    reading = store.test_audit.begin(trials[1].id, protocol_hash="f" * 16, **READ)  # type: ignore[arg-type]
    assert trained_results(store, architecture(0).id)[2].test is None  # not completed
    reading = store.test_audit.complete(reading.id, 0.75)

    results = trained_results(store, architecture(0).id)
    assert [(r.study, r.trial, r.trial_id) for r in results] == [
        ("found", 0, searched.id),
        ("found-retrained", 0, trials[0].id),
        ("found-retrained", 1, trials[1].id),
    ]
    assert [r.retrained for r in results] == [False, True, True]
    assert [r.judged_by for r in results] == ["last", "best", "best"]
    assert [r.validation_accuracy for r in results] == [0.5, 0.7, 0.8]
    assert [r.test for r in results] == [None, None, reading]
    assert results[2].readings == (reading,)
    assert results[1].protocol["epochs"] == 9
    assert {r.protocol_hash for r in results} == {found.protocol_hash, "f" * 16}
    assert results == [*trained_results_of_study(store, "found"), *results[1:]]
    assert trained_results(store, architecture(0).id, "found-retrained") == results[1:]
    assert trained_results(store, architecture(1).id) == []
    with pytest.raises(InputError, match="'lost' does not exist"):
        trained_results(store, architecture(0).id, "lost")


def test_the_first_completed_reading_counts(store: Store) -> None:
    study = add_study(store)
    trial = complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.5)
    details = READ | {"protocol_hash": study.protocol_hash}
    store.test_audit.begin(trial.id, **details)  # type: ignore[arg-type]
    for accuracy in (0.6, 0.7):
        begun = store.test_audit.begin(trial.id, **details, again=True)  # type: ignore[arg-type]
        store.test_audit.complete(begun.id, accuracy)
    (result,) = trained_results(store, trial.architecture_id)
    assert [reading.accuracy for reading in result.readings] == [None, 0.6, 0.7]
    assert result.test is not None
    assert result.test.accuracy == 0.6


def test_figures_are_mean_and_standard_deviation() -> None:
    assert Figures.of([]) is Figures.of([None]) is None
    assert Figures.of([0.5, None]) == Figures(0.5, None, 1)
    several = Figures.of([0.5, 0.7])
    assert several is not None
    assert (several.mean, several.trainings) == (pytest.approx(0.6), 2)
    assert several.deviation == pytest.approx(math.sqrt(0.02))
