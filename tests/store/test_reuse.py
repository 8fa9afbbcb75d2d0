"""Nothing is trained twice: repeats, results of other studies, continued and inheriting trials."""

import threading

import pytest

from search.store import (
    DuplicateArchitecture,
    ParentRecord,
    Store,
    TrainedElsewhere,
    TrialRecord,
    TrialState,
    open_store,
)
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

PROTOCOL = "0123456789abcdef"


def pruned_trial(store: Store, study_id: int, run_id: int, number: int, epochs: int) -> TrialRecord:
    trial = add_trial(store, study_id, run_id, number)
    for at in range(1, epochs + 1):
        store.epochs.record(trial.id, epoch(at, 0.1 * at, seconds=2.0))
    store.trials.finish(trial.id, "pruned", "rung")
    return store.trials.get(trial.id)


def result(store: Store, number: int, outside: int, **changes: bool) -> TrialRecord | None:
    return store.results.find(architecture(number).id, PROTOCOL, outside=outside, **changes)


# Repeats


def test_an_architecture_may_be_repeated_but_each_repeat_is_one_trial(store: Store) -> None:
    study = add_study(store)
    trials = [add_trial(store, study.id, None, 0, repeat=repeat) for repeat in (0, 1, 2)]
    assert [(trial.number, trial.repeat) for trial in trials] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(DuplicateArchitecture) as caught:
        add_trial(store, study.id, None, 0, repeat=1)
    assert caught.value.trial == trials[1]


# Inheritance


def test_a_child_carries_the_training_of_all_its_ancestors(store: Store) -> None:
    study, other = add_study(store), add_study(store, "other")
    run = begin_run(store, study.id)
    first = pruned_trial(store, study.id, run.id, 0, epochs=3)
    second = add_trial(store, study.id, run.id, 1, parent=ParentRecord(first.id, "kernel 3 → 5"))
    assert (second.parent_trial_id, second.inherited_along) == (first.id, "kernel 3 → 5")
    assert second.lineage_seconds == 6.0
    store.epochs.record(second.id, epoch(1, 0.5, seconds=1.5))
    third = add_trial(store, other.id, None, 2, parent=ParentRecord(second.id, "static → dynamic"))
    assert third.lineage_seconds == 7.5
    assert (first.parent_trial_id, first.inherited_along, first.lineage_seconds) == (None, None, 0)
    with pytest.raises(LookupError):
        add_trial(store, study.id, run.id, 3, parent=ParentRecord(999, "nowhere"))
    assert len(store.trials.of_study(study.id)) == 2


# Results of other studies


def test_the_best_known_result_of_other_studies_is_found(store: Store) -> None:
    first, second, asking = (add_study(store, name) for name in ("a", "b", "asking"))
    foreign = add_study(store, "foreign", protocol_hash="another")
    run = begin_run(store, first.id)
    complete_trial(store, foreign.id, run.id, 0, 0.9)
    complete_trial(store, asking.id, run.id, 0, 0.9)
    add_trial(store, first.id, run.id, 0)
    assert result(store, 0, asking.id) is None
    short = pruned_trial(store, second.id, run.id, 1, epochs=1)
    assert result(store, 1, asking.id) == short
    long = pruned_trial(store, first.id, run.id, 1, epochs=3)
    assert result(store, 1, asking.id) == long
    third = add_study(store, "c")
    whole = complete_trial(store, third.id, run.id, 1, 0.4)
    assert result(store, 1, asking.id) == whole
    assert result(store, 1, third.id) == long


def test_neither_repeats_nor_failures_nor_inherited_results_are_found(store: Store) -> None:
    study, asking = add_study(store), add_study(store, "asking")
    run = begin_run(store, study.id)
    parent = complete_trial(store, study.id, run.id, 0, 0.5)
    failed = add_trial(store, study.id, run.id, 1)
    store.trials.finish(failed.id, "failed", "NaN")
    complete_trial(store, study.id, run.id, 1, 0.5, repeat=1)
    assert result(store, 1, asking.id) is None
    child = complete_trial(store, study.id, run.id, 2, 0.5, parent=ParentRecord(parent.id, "along"))
    assert result(store, 2, asking.id) is None
    assert result(store, 2, asking.id, inherited=True) == child


def test_a_complete_result_is_taken_over_with_its_epochs(store: Store) -> None:
    study, asking = add_study(store, "a"), add_study(store, "asking")
    run, mine = begin_run(store, study.id), begin_run(store, asking.id)
    source = complete_trial(store, study.id, run.id, 5, 0.75)
    trial = add_trial(store, asking.id, mine.id, 5)
    assert store.results.reuse(trial.id, source.id, mine.id)
    taken = store.trials.get(trial.id)
    assert taken.state is TrialState.COMPLETE
    assert taken.reason == "result of trial 0 of study 'a', same protocol"
    assert taken.source_trial_id == source.id
    assert (taken.best_accuracy, taken.epochs_done, taken.seconds) == (0.75, 1, 1.0)
    assert taken.ended is not None
    assert store.epochs.of_trial(trial.id) == store.epochs.of_trial(source.id)
    assert [(e.kind, e.epoch) for e in store.events.of_study(asking.id)] == [
        ("created", None),
        ("epoch", 1),
        ("complete", None),
    ]
    assert not store.results.reuse(trial.id, source.id, mine.id)


def test_the_source_of_a_source_is_found_first(store: Store) -> None:
    studies = [add_study(store, name) for name in ("a", "b", "c")]
    runs = [begin_run(store, study.id) for study in studies]
    source = complete_trial(store, studies[1].id, runs[1].id, 5, 0.75)
    copy = add_trial(store, studies[0].id, runs[0].id, 5)
    assert store.results.reuse(copy.id, source.id, runs[0].id)
    assert result(store, 5, studies[2].id) == source


def test_a_pruned_result_is_gone_on_with(store: Store) -> None:
    study, asking = add_study(store, "a"), add_study(store, "asking")
    run, mine = begin_run(store, study.id), begin_run(store, asking.id)
    source = pruned_trial(store, study.id, run.id, 5, epochs=2)
    trial = add_trial(store, asking.id, mine.id, 5)
    assert store.results.reuse(trial.id, source.id, mine.id)
    taken = store.trials.get(trial.id)
    assert (taken.state, taken.epochs_done, taken.last_epoch) == (TrialState.WAITING, 2, 2)
    assert store.trials.start(trial.id, mine.id)
    store.epochs.record(trial.id, epoch(3, 0.9))
    assert store.trials.finish(trial.id, "complete")
    assert [e.epoch for e in store.epochs.of_trial(trial.id)] == [1, 2, 3]
    assert len(store.epochs.of_trial(source.id)) == 2


def test_only_the_same_training_is_taken_over(store: Store) -> None:
    study, asking = add_study(store, "a"), add_study(store, "asking")
    foreign = add_study(store, "foreign", protocol_hash="another")
    run, mine = begin_run(store, study.id), begin_run(store, asking.id)
    trial = add_trial(store, asking.id, mine.id, 5)
    open_one = add_trial(store, study.id, run.id, 5)
    for source in (
        complete_trial(store, foreign.id, run.id, 5, 0.5),
        complete_trial(store, study.id, run.id, 6, 0.5),
        complete_trial(store, asking.id, mine.id, 7, 0.5),
        open_one,
    ):
        with pytest.raises(ValueError, match=r"same protocol|no result"):
            store.results.reuse(trial.id, source.id, mine.id)
    store.trials.finish(open_one.id, "complete")
    assert not store.results.reuse(trial.id, open_one.id, run.id)
    for pair in ((999, open_one.id), (trial.id, 999)):
        with pytest.raises(LookupError, match="999"):
            store.results.reuse(*pair, mine.id)
    assert store.trials.get(trial.id) == trial


# What others train


def test_what_other_studies_have_still_to_train_is_known(store: Store) -> None:
    study, asking = add_study(store, "a"), add_study(store, "asking")
    foreign = add_study(store, "foreign", protocol_hash="another")
    run = begin_run(store, study.id)
    waiting, running, preempted, ended = (
        add_trial(store, study.id, run.id, number) for number in range(4)
    )
    store.trials.start(running.id, run.id)
    store.trials.preempt(preempted.id, "interrupted")
    store.trials.finish(ended.id, "complete")
    add_trial(store, foreign.id, None, 4)
    add_trial(store, asking.id, None, 5)
    add_trial(store, study.id, run.id, 3, repeat=1)
    for number, trial in enumerate((waiting, store.trials.get(running.id))):
        with pytest.raises(TrainedElsewhere) as caught:
            add_trial(store, asking.id, None, number, exclusive=True)
        assert caught.value.trial == trial
    for number in (3, 4, 6):
        add_trial(store, asking.id, None, number, exclusive=True)
    assert [t.number for t in store.trials.of_study(asking.id)] == [0, 1, 2, 3]


def test_of_studies_that_add_at_once_one_trains(store: Store, store_url: str) -> None:
    studies = [add_study(store, name) for name in ("a", "b", "c", "d")]
    begun = threading.Barrier(len(studies))
    refused = []

    def add(study_id: int) -> None:
        with open_store(store_url, create=False) as own:
            for number in range(8):
                begun.wait()
                try:
                    add_trial(own, study_id, None, number, exclusive=True)
                except TrainedElsewhere as error:
                    refused.append(error.trial.architecture_id)

    threads = [threading.Thread(target=add, args=(study.id,)) for study in studies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trained = [t.architecture_id for study in studies for t in store.trials.of_study(study.id)]
    assert sorted(trained) == sorted({architecture(number).id for number in range(8)})
    assert sorted(refused) == sorted(trained * 3)


# Continued trials


def test_a_pruned_trial_goes_on_with_its_epochs(store: Store) -> None:
    study = add_study(store)
    first, second = begin_run(store, study.id), begin_run(store, study.id)
    trial = pruned_trial(store, study.id, first.id, 0, epochs=2)
    assert store.trials.reopen(trial.id, second.id)
    waiting = store.trials.get(trial.id)
    assert (waiting.state, waiting.reason, waiting.ended) == (TrialState.WAITING, None, None)
    assert (waiting.run_id, waiting.continued, waiting.epochs_done) == (second.id, 1, 2)
    assert not store.trials.reopen(trial.id, second.id)
    assert store.trials.start(trial.id, second.id)
    assert store.epochs.record(trial.id, epoch(3, 0.9), run_id=second.id)
    assert store.trials.finish(trial.id, "complete", run_id=second.id)
    assert store.trials.get(trial.id).epochs_done == 3


@pytest.mark.parametrize("state", ["failed", "infeasible"])
def test_what_broke_off_may_be_tried_again(store: Store, state: str) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 0)
    store.trials.start(trial.id, run.id)
    store.trials.finish(trial.id, state, "why")
    assert store.trials.reopen(trial.id, run.id)
    assert store.trials.get(trial.id).state == TrialState.WAITING
    assert store.trials.start(trial.id, run.id)
    assert store.trials.get(trial.id).attempts == 2
    kinds = [str(event.kind) for event in store.events.of_study(study.id)]
    assert kinds == ["created", state, "continued"]


def test_nothing_else_is_continued(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 0)
    assert not store.trials.reopen(trial.id, run.id)
    store.trials.finish(trial.id, "complete")
    assert not store.trials.reopen(trial.id, run.id)
    assert store.trials.get(trial.id).state == TrialState.COMPLETE
    assert not store.trials.reopen(999, run.id)


def test_what_another_study_goes_on_with_is_not_continued_too(store: Store) -> None:
    study, other = add_study(store, "a"), add_study(store, "b")
    run, theirs = begin_run(store, study.id), begin_run(store, other.id)
    source = pruned_trial(store, study.id, run.id, 0, epochs=2)
    trial = add_trial(store, other.id, theirs.id, 0, exclusive=True)
    store.results.reuse(trial.id, source.id, theirs.id)
    assert not store.trials.reopen(source.id, run.id)
    store.trials.finish(trial.id, "pruned", "rung")
    assert store.trials.reopen(source.id, run.id)


# Counts


def test_a_summary_counts_what_did_not_simply_train(store: Store) -> None:
    study, other = add_study(store, "a"), add_study(store, "b")
    run, theirs = begin_run(store, study.id), begin_run(store, other.id)
    for number in range(3):
        complete_trial(store, other.id, theirs.id, number, 0.5)
    pruned = pruned_trial(store, study.id, run.id, 9, epochs=1)
    store.trials.reopen(pruned.id, run.id)
    for number, source in enumerate(store.trials.of_study(other.id)):
        trial = add_trial(store, study.id, run.id, number)
        store.results.reuse(trial.id, source.id, run.id)
    for repeat in (1, 2):
        add_trial(
            store, study.id, run.id, 0, repeat=repeat, parent=ParentRecord(pruned.id, "along")
        )
    summary = store.studies.summary(study.id)
    assert (summary.reused, summary.continued) == (3, 1)
    assert (summary.repeated, summary.inherited) == (2, 2)
    assert summary.trials == 6
    plain = store.studies.summary(other.id)
    assert (plain.reused, plain.continued, plain.repeated, plain.inherited) == (0, 0, 0, 0)
    assert store.studies.summaries() == [plain, summary]


def test_a_trial_that_began_from_scratch_after_all_is_no_heir(store: Store) -> None:
    study = add_study(store)
    run, other = begin_run(store, study.id), begin_run(store, study.id)
    parent = complete_trial(store, study.id, run.id, 0, 0.5)
    child = add_trial(store, study.id, run.id, 1, parent=ParentRecord(parent.id, "along"))
    assert not store.trials.disinherit(child.id, run_id=other.id)
    assert store.trials.get(child.id) == child
    assert store.trials.disinherit(child.id, run_id=run.id)
    scratch = store.trials.get(child.id)
    assert (scratch.parent_trial_id, scratch.inherited_along) == (None, None)
    assert scratch.lineage_seconds == 0


def test_a_study_takes_nothing_over_from_itself(store: Store) -> None:
    mine, other = add_study(store), add_study(store, "other")
    complete_trial(store, mine.id, begin_run(store, mine.id).id, 0, 0.5)
    assert result(store, 0, outside=mine.id) is None
    assert result(store, 0, outside=other.id) is not None
