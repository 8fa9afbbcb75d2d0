import math

import numpy as np
import pytest

from search.store import Store, TestReadingRecord
from tests.support.samples import add_study, add_trial, begin_run, epoch


@pytest.fixture
def trial_id(store: Store) -> int:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 0)
    store.trials.start(trial.id, run.id)
    return trial.id


def test_epochs_come_back_in_order_with_totals(store: Store, trial_id: int) -> None:
    for number, accuracy in ((1, 0.5), (3, 0.6), (2, 0.75)):
        assert store.epochs.record(trial_id, epoch(number, accuracy, seconds=2.5))
    assert [e.epoch for e in store.epochs.of_trial(trial_id)] == [1, 2, 3]
    trial = store.trials.get(trial_id)
    assert (trial.best_accuracy, trial.best_epoch) == (0.75, 2)
    assert (trial.last_accuracy, trial.last_epoch) == (0.6, 3)
    assert (trial.epochs_done, trial.seconds) == (3, 7.5)


def test_an_epoch_written_again_replaces_itself(store: Store, trial_id: int) -> None:
    store.epochs.record(trial_id, epoch(1, 0.9))
    store.epochs.record(trial_id, epoch(1, 0.4))
    assert store.epochs.of_trial(trial_id) == [epoch(1, 0.4)]
    trial = store.trials.get(trial_id)
    assert (trial.best_accuracy, trial.epochs_done, trial.seconds) == (0.4, 1, 1.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_non_finite_numbers_are_null(store: Store, trial_id: int, value: float) -> None:
    store.epochs.record(trial_id, epoch(1, 0.25))
    store.epochs.record(trial_id, epoch(2, value, train_loss=value, seconds=value))
    assert store.epochs.of_trial(trial_id)[1] == epoch(2, None, train_loss=None, seconds=None)
    trial = store.trials.get(trial_id)
    assert (trial.best_accuracy, trial.last_accuracy, trial.seconds) == (0.25, None, 1.0)


def test_numpy_numbers_are_taken(store: Store, trial_id: int) -> None:
    store.epochs.record(trial_id, epoch(1, np.float32(0.5), seconds=np.float64(2)))
    assert store.epochs.of_trial(trial_id) == [epoch(1, 0.5, seconds=2.0)]


def test_what_an_epoch_took_is_kept_and_whole_numbers_stay_whole(
    store: Store, trial_id: int
) -> None:
    took = {"images_per_second": 12.5, "skipped_steps": 3, "peak_memory_bytes": 5 << 40}
    took |= {"fused_mixers": 2}
    store.epochs.record(trial_id, epoch(1, 0.5, **took))
    (found,) = store.epochs.of_trial(trial_id)
    assert found == epoch(1, 0.5, **took)
    assert type(found.peak_memory_bytes) is int


def test_an_ended_trial_takes_no_more_epochs(store: Store, trial_id: int) -> None:
    store.trials.finish(trial_id, "pruned", "rung 1")
    assert not store.epochs.record(trial_id, epoch(1, 0.5))
    assert store.epochs.of_trial(trial_id) == []


def test_only_the_run_that_holds_the_trial_writes(store: Store, trial_id: int) -> None:
    run_id = store.trials.get(trial_id).run_id
    assert run_id is not None
    assert not store.epochs.record(trial_id, epoch(1, 0.5), run_id=run_id + 1)
    assert store.epochs.record(trial_id, epoch(1, 0.5), run_id=run_id)


def test_epochs_after_an_older_checkpoint_are_forgotten(store: Store, trial_id: int) -> None:
    for number, accuracy in ((1, 0.5), (2, 0.6), (3, 0.7)):
        store.epochs.record(trial_id, epoch(number, accuracy))
    store.epochs.forget(trial_id, after=1)
    trial = store.trials.get(trial_id)
    assert (trial.epochs_done, trial.best_accuracy, trial.last_epoch) == (1, 0.5, 1)
    store.epochs.forget(trial_id, after=0)
    assert store.trials.get(trial_id).best_accuracy is None


def test_curves_of_several_trials(store: Store, trial_id: int) -> None:
    study_id = store.trials.get(trial_id).study_id
    other = add_trial(store, study_id, None, 1)
    store.epochs.record(trial_id, epoch(2, 0.5))
    store.epochs.record(trial_id, epoch(1, 0.25))
    curve = [epoch(1, 0.25), epoch(2, 0.5)]
    assert store.epochs.of_trials([trial_id, other.id]) == {trial_id: curve, other.id: []}
    assert store.epochs.of_trials([]) == {}
    assert len(store.epochs.of_trials(range(2000))) == 2000


def test_every_reading_of_the_test_split_is_kept(store: Store, trial_id: int) -> None:
    architecture_id = store.trials.get(trial_id).architecture_id
    first = store.test_audit.record(
        architecture_id, protocol_hash="abc", trial_id=trial_id, accuracy=0.9
    )
    second = store.test_audit.record(architecture_id, protocol_hash="abc", accuracy=math.nan)
    assert isinstance(first, TestReadingRecord)
    assert (first.accuracy, second.accuracy, second.trial_id) == (0.9, None, None)
    assert (
        store.test_audit.readings() == store.test_audit.readings(architecture_id) == [first, second]
    )
    assert store.test_audit.readings("0" * 16) == []
