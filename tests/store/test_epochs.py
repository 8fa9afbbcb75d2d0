import math

import numpy as np
import pytest

from search.store import Store, TestReading
from tests.support.samples import add_study, add_trial, begin_run, epoch


@pytest.fixture
def trial_id(store: Store) -> int:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 0)
    store.start_trial(trial.id, run.id)
    return trial.id


def test_epochs_come_back_in_order_with_totals(store: Store, trial_id: int) -> None:
    for number, accuracy in ((1, 0.5), (3, 0.6), (2, 0.75)):
        assert store.record_epoch(trial_id, epoch(number, accuracy, seconds=2.5))
    assert [e.epoch for e in store.epochs(trial_id)] == [1, 2, 3]
    trial = store.trial(trial_id)
    assert (trial.best_accuracy, trial.best_epoch) == (0.75, 2)
    assert (trial.last_accuracy, trial.last_epoch) == (0.6, 3)
    assert (trial.epochs_done, trial.seconds) == (3, 7.5)


def test_an_epoch_written_again_replaces_itself(store: Store, trial_id: int) -> None:
    store.record_epoch(trial_id, epoch(1, 0.9))
    store.record_epoch(trial_id, epoch(1, 0.4))
    assert store.epochs(trial_id) == [epoch(1, 0.4)]
    trial = store.trial(trial_id)
    assert (trial.best_accuracy, trial.epochs_done, trial.seconds) == (0.4, 1, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_non_finite_numbers_are_null(store: Store, trial_id: int, value: float) -> None:
    store.record_epoch(trial_id, epoch(1, 0.25))
    store.record_epoch(trial_id, epoch(2, value, train_loss=value, seconds=value))
    assert store.epochs(trial_id)[1] == epoch(2, None, train_loss=None, seconds=None)
    trial = store.trial(trial_id)
    assert (trial.best_accuracy, trial.last_accuracy, trial.seconds) == (0.25, None, 1.0)


def test_numpy_numbers_are_taken(store: Store, trial_id: int) -> None:
    store.record_epoch(trial_id, epoch(1, np.float32(0.5), seconds=np.float64(2)))
    assert store.epochs(trial_id) == [epoch(1, 0.5, seconds=2.0)]


def test_an_ended_trial_takes_no_more_epochs(store: Store, trial_id: int) -> None:
    store.finish_trial(trial_id, "pruned", "rung 1")
    assert not store.record_epoch(trial_id, epoch(1, 0.5))
    assert store.epochs(trial_id) == []


def test_only_the_run_that_holds_the_trial_writes(store: Store, trial_id: int) -> None:
    run_id = store.trial(trial_id).run_id
    assert run_id is not None
    assert not store.record_epoch(trial_id, epoch(1, 0.5), run_id=run_id + 1)
    assert store.record_epoch(trial_id, epoch(1, 0.5), run_id=run_id)


def test_epochs_after_an_older_checkpoint_are_forgotten(store: Store, trial_id: int) -> None:
    for number, accuracy in ((1, 0.5), (2, 0.6), (3, 0.7)):
        store.record_epoch(trial_id, epoch(number, accuracy))
    store.forget_epochs(trial_id, after=1)
    trial = store.trial(trial_id)
    assert (trial.epochs_done, trial.best_accuracy, trial.last_epoch) == (1, 0.5, 1)
    store.forget_epochs(trial_id, after=0)
    assert store.trial(trial_id).best_accuracy is None


def test_curves_of_several_trials(store: Store, trial_id: int) -> None:
    study_id = store.trial(trial_id).study_id
    other = add_trial(store, study_id, None, 1)
    store.record_epoch(trial_id, epoch(2, 0.5))
    store.record_epoch(trial_id, epoch(1, 0.25))
    curve = [epoch(1, 0.25), epoch(2, 0.5)]
    assert store.curves([trial_id, other.id]) == {trial_id: curve, other.id: []}
    assert store.study_curves(study_id) == {trial_id: curve}
    assert store.curves([]) == {}
    assert len(store.curves(range(2000))) == 2000


def test_every_reading_of_the_test_split_is_kept(store: Store, trial_id: int) -> None:
    architecture_id = store.trial(trial_id).architecture_id
    first = store.record_test_reading(
        architecture_id, protocol_hash="abc", trial_id=trial_id, accuracy=0.9
    )
    second = store.record_test_reading(architecture_id, protocol_hash="abc", accuracy=math.nan)
    assert isinstance(first, TestReading)
    assert (first.accuracy, second.accuracy, second.trial_id) == (0.9, None, None)
    assert store.test_readings() == store.test_readings(architecture_id) == [first, second]
    assert store.test_readings("0" * 16) == []
