"""The event log tells what happened, in order, and all that a study needs to be told again."""

import threading

import pytest
from sqlalchemy import event as engine_event

from search.store import EventKind, NetworkRecord, Store, open_store
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

Told = list[tuple[int, str, int | None]]


def told(store: Store, study_id: int) -> Told:
    events = store.events.of_study(study_id)
    assert [event.number for event in events] == list(range(len(events)))
    numbers = {trial.id: trial.number for trial in store.trials.of_study(study_id)}
    return [(numbers[event.trial_id], str(event.kind), event.epoch) for event in events]


def test_everything_that_happens_to_a_trial_is_told_in_order(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    first, second = (add_trial(store, study.id, run.id, number) for number in range(2))
    store.trials.start(first.id, run.id)
    store.epochs.record(first.id, epoch(1, 0.5))
    store.trials.start(second.id, run.id)
    store.epochs.record(second.id, epoch(1, 0.25))
    store.epochs.record(first.id, epoch(2, 0.5))
    store.trials.finish(second.id, "pruned", "rung 1")
    store.epochs.forget(first.id, after=1)
    store.trials.preempt(first.id, "interrupted")
    store.trials.claim(study.id, run.id)
    store.epochs.record(first.id, epoch(2, 0.75))
    store.trials.finish(first.id, "complete")
    store.trials.reopen(second.id, run.id)
    store.trials.finish(second.id, "failed", "NaN")
    assert told(store, study.id) == [
        (0, "created", None),
        (1, "created", None),
        (0, "epoch", 1),
        (1, "epoch", 1),
        (0, "epoch", 2),
        (1, "pruned", None),
        (0, "forgotten", 1),
        (0, "preempted", None),
        (0, "epoch", 2),
        (0, "complete", None),
        (1, "continued", None),
        (1, "failed", None),
    ]


def test_what_changes_nothing_is_not_told(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = complete_trial(store, study.id, run.id, 0, 0.5)
    before = store.events.of_study(study.id)
    assert [event.kind for event in before] == ["created", "epoch", "complete"]
    store.trials.finish(trial.id, "failed", "too late")
    store.trials.preempt(trial.id, "too late")
    store.epochs.record(trial.id, epoch(2, 0.5))
    store.epochs.forget(trial.id, after=0)
    store.runs.end(run.id)
    assert store.events.of_study(study.id) == before


def test_an_epoch_is_told_once_however_often_it_is_recorded(store: Store) -> None:
    study = add_study(store)
    trial = add_trial(store, study.id, None, 0)
    for accuracy in (0.25, 0.5):
        assert store.epochs.record(trial.id, epoch(1, accuracy))
    store.epochs.forget(trial.id, after=1)
    assert told(store, study.id) == [(0, "created", None), (0, "epoch", 1)]


def test_the_end_of_a_run_tells_of_the_trials_that_it_left(store: Store) -> None:
    study, other = add_study(store), add_study(store, "other")
    run = begin_run(store, study.id, pid=2**22 + 1)
    for number in range(3):
        add_trial(store, study.id, run.id, number)
    add_trial(store, other.id, None, 0)
    assert len(store.runs.end_stale(study.id)) == 3
    assert told(store, study.id)[3:] == [(number, "preempted", None) for number in range(3)]
    assert told(store, other.id) == [(0, "created", None)]


def test_many_writers_tell_without_gaps_and_without_waiting_for_each_other(
    store: Store, store_url: str
) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    trials = [add_trial(store, study.id, run.id, number) for number in range(4)]

    def work(trial_id: int) -> None:
        with open_store(store_url, create=False) as own:
            for number in range(1, 9):
                own.epochs.record(trial_id, epoch(number, 0.5))
            own.runs.end_stale(study.id)
            own.trials.finish(trial_id, "complete", run_id=run.id)

    threads = [threading.Thread(target=work, args=(trial.id,)) for trial in trials]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = told(store, study.id)
    assert len(events) == 4 * 10
    for number in range(4):
        mine = [(kind, at) for trial, kind, at in events if trial == number]
        epochs = [("epoch", at) for at in range(1, 9)]
        assert mine == [("created", None), *epochs, ("complete", None)]


def test_a_history_holds_all_that_the_store_knows(store: Store) -> None:
    study, other = add_study(store), add_study(store, "other")
    run = begin_run(store, study.id)
    first = complete_trial(store, study.id, run.id, 3, 0.5)
    second = add_trial(store, study.id, run.id, 4)
    add_trial(store, other.id, None, 5)
    history = store.studies.history(study.id)
    assert history.trials == [first, second]
    assert history.curves == {first.id: [epoch(1, 0.5)], second.id: []}
    assert history.events == store.events.of_study(study.id)
    assert {event.kind for event in history.events} == {
        EventKind.CREATED,
        EventKind.EPOCH,
        EventKind.COMPLETE,
    }
    assert history.networks == {
        architecture(number).id: NetworkRecord(
            architecture(number).to_json(), 1000 * (number + 1), 10_000 * (number + 1)
        )
        for number in (3, 4)
    }


@pytest.mark.parametrize("trials", [1, 30])
def test_a_history_takes_as_many_queries_however_long_it_is(store: Store, trials: int) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for number in range(trials):
        complete_trial(store, study.id, run.id, number, 0.5)
    queries = []
    listen = (
        store._database.engine,
        "before_cursor_execute",
        lambda *args: queries.append(args[2]),
    )
    engine_event.listen(*listen)
    history = store.studies.history(study.id)
    engine_event.remove(*listen)
    assert len(history.trials) == trials
    assert len([query for query in queries if query.startswith("SELECT")]) == 4


def test_a_study_says_that_it_is_exhausted(store: Store) -> None:
    study = add_study(store)
    assert study.exhausted is None
    store.studies.set_exhausted(study.id, "all 12 points are in the study")
    assert store.studies.get(study.name).exhausted == "all 12 points are in the study"
    store.studies.set_exhausted(study.id, None)
    assert store.studies.get(study.name).exhausted is None
