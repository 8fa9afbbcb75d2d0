"""The audit of the test split: one reading for the weights of a trial, written down beforehand."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from search.store import Store, TestReadingRecord, open_store
from search.store.test_readings import already_read
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

DETAILS = {
    "protocol_hash": "0123456789abcdef",
    "images": 2000,
    "chance": 0.1,
    "content_hash": "c" * 16,
    "device": "cpu",
}


def begin(store: Store, trial_id: int, *, again: bool = False) -> TestReadingRecord:
    return store.test_audit.begin(trial_id, **DETAILS, again=again)  # type: ignore[arg-type]


@pytest.fixture
def trial_id(store: Store) -> int:
    study = add_study(store)
    return complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.5).id


def test_a_reading_is_written_down_before_and_completed_once(store: Store, trial_id: int) -> None:
    before = begin(store, trial_id)
    assert before.accuracy is None
    assert (before.architecture_id, before.trial_id) == (architecture(0).id, trial_id)
    assert (before.images, before.chance, before.device) == (2000, 0.1, "cpu")
    assert before.content_hash == "c" * 16
    after = store.test_audit.complete(before.id, 0.875)
    assert (after.id, after.read_at, after.accuracy) == (before.id, before.read_at, 0.875)
    assert store.test_audit.complete(before.id, 0.9) == after
    assert store.test_audit.readings() == store.test_audit.of_weights(trial_id) == [after]
    with pytest.raises(LookupError, match="no test reading has the id 99"):
        store.test_audit.complete(99, 0.5)


@pytest.mark.parametrize("broke_off", [False, True])
def test_a_second_reading_is_refused_unless_asked_for_and_then_counted(
    store: Store, trial_id: int, *, broke_off: bool
) -> None:
    first = begin(store, trial_id)
    if not broke_off:
        store.test_audit.complete(first.id, 0.5)
    with pytest.raises(InputError, match="one reading is what makes it a test") as caught:
        begin(store, trial_id)
    assert ("broke off" in str(caught.value)) == broke_off
    second = begin(store, trial_id, again=True)
    said = f"read for these weights of {architecture(0).id} on {first.read_at:%Y-%m-%d %H:%M} UTC"
    later = replace(second, read_at=second.read_at + timedelta(days=2))
    assert said in already_read([later, first])
    assert said not in already_read([later])
    assert [each.id for each in store.test_audit.of_weights(trial_id)] == [first.id, second.id]


def test_what_took_a_result_over_has_the_same_weights(store: Store, trial_id: int) -> None:
    other = add_study(store, "other")
    run = begin_run(store, other.id)
    copy = add_trial(store, other.id, run.id, 0)
    assert store.results.reuse(copy.id, trial_id, run.id)
    repeat = complete_trial(store, other.id, run.id, 0, 0.5, repeat=1)
    first = begin(store, trial_id)
    assert store.test_audit.of_weights(copy.id) == [first]
    with pytest.raises(InputError, match="was read for these weights"):
        begin(store, copy.id)
    assert store.test_audit.of_weights(repeat.id) == []
    assert begin(store, repeat.id).trial_id == repeat.id


def test_of_many_that_ask_at_once_one_reads(store: Store, store_url: str, trial_id: int) -> None:
    done: list[object] = []
    together = threading.Barrier(4)

    def ask() -> None:
        with open_store(store_url, create=False) as mine:
            together.wait()
            try:
                done.append(begin(mine, trial_id))
            except InputError as error:
                done.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert sum(isinstance(each, TestReadingRecord) for each in done) == 1
    assert len(store.test_audit.readings()) == 1


def test_no_reading_of_a_trial_that_is_not_there(store: Store, trial_id: int) -> None:
    for ask in (begin, lambda store, id_: store.test_audit.of_weights(id_)):
        with pytest.raises(LookupError, match="no trial has the id 77"):
            ask(store, 77)
    assert store.test_audit.readings() == []
