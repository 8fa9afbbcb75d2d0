import contextlib
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from search.store import DuplicateArchitecture, Store, TrainedElsewhere, TrialState, open_store
from search.store.models import ArchitectureRow
from space.architecture import Architecture
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture, begin_run


def test_a_trial_comes_back_as_it_was_given(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    first = add_trial(store, study.id, run.id, 0, origin="named:ViT", seeds={"a": 1})
    second = add_trial(store, study.id, run.id, 1, decisions={"x": [1, None, "y"]})
    assert (first.number, second.number) == (0, 1)
    assert first.state is TrialState.WAITING
    assert (first.origin, first.seeds, first.attempts) == ("named:ViT", {"a": 1}, 0)
    assert second.decisions == {"x": [1, None, "y"]}
    assert store.trials.of_study(study.id) == [first, second]
    assert store.trials.get(second.id) == second
    assert store.trials.of_architecture(first.architecture_id) == [first]
    with pytest.raises(LookupError):
        store.trials.get(999)
    with pytest.raises(LookupError):
        add_trial(store, 999, None, 2)


def test_an_architecture_is_one_row_over_all_studies(store: Store) -> None:
    wanted = architecture(35)
    for name in ("first", "second"):
        study = add_study(store, name)
        add_trial(store, study.id, None, 35)
    found = store.architectures.get(wanted.id[:5].upper())
    assert found == store.architectures.get(wanted.id)
    assert Architecture.from_json(found.json) == wanted
    assert (found.params, found.macs) == (36_000, 360_000)
    assert (found.depth, found.block_type) == (wanted.depth, wanted.block_type)
    assert found.operators == wanted.name
    assert [(m.stage, m.position) for m in found.mixers] == [
        (stage, block) for stage, block, _ in wanted.block_mixers()
    ]
    for record, (_, _, mixer) in zip(found.mixers, wanted.block_mixers(), strict=True):
        assert record.label == mixer.label
        assert record.kernel_size == mixer.kernel_size
        assert record.heads == mixer.heads
        assert record.dynamics == mixer.dynamics
    assert len(store.trials.of_architecture(wanted.id)) == 2


def test_an_unclear_architecture_is_refused(store: Store) -> None:
    study = add_study(store)
    for number in range(20):
        add_trial(store, study.id, None, number)
    first = [architecture(number).id[0] for number in range(20)]
    shared = next(digit for digit in first if first.count(digit) > 1)
    with pytest.raises(InputError, match="several ids begin with"):
        store.architectures.get(shared)
    for text in ("", "xyz", "%", "_" * 16, "0" * 65):
        with pytest.raises(InputError, match="is no id"):
            store.architectures.get(text)
    with pytest.raises(InputError, match="no architecture's id begins"):
        store.architectures.get("0" * 16)


def test_a_study_has_an_architecture_once(store: Store) -> None:
    study = add_study(store)
    trial = add_trial(store, study.id, None, 0)
    with pytest.raises(DuplicateArchitecture) as caught:
        add_trial(store, study.id, None, 0)
    assert caught.value.trial == trial
    assert store.trials.of_study(study.id) == [trial]


def test_the_first_terminal_state_wins(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    trial = add_trial(store, study.id, run.id, 0)
    assert store.trials.start(trial.id, run.id)
    assert store.trials.finish(trial.id, "pruned", "rung 1")
    assert not store.trials.finish(trial.id, "complete")
    assert not store.trials.preempt(trial.id, "too late")
    assert not store.trials.start(trial.id, run.id)
    ended = store.trials.get(trial.id)
    assert (ended.state, ended.reason, ended.attempts) == (TrialState.PRUNED, "rung 1", 1)
    assert ended.started is not None
    assert ended.ended is not None
    assert ended.ended >= ended.started


@pytest.mark.parametrize("state", ["pruned", "infeasible", "failed"])
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_what_is_not_complete_needs_a_reason(store: Store, state: str, reason: str | None) -> None:
    trial = add_trial(store, add_study(store).id, None, 0)
    with pytest.raises(ValueError, match="needs a reason"):
        store.trials.finish(trial.id, state, reason)
    with pytest.raises(ValueError, match="needs a reason"):
        store.trials.preempt(trial.id, reason or "")
    assert store.trials.get(trial.id) == trial


@pytest.mark.parametrize("state", ["waiting", "running", "preempted", "done"])
def test_only_a_terminal_state_finishes(store: Store, state: str) -> None:
    trial = add_trial(store, add_study(store).id, None, 0)
    with pytest.raises(ValueError, match=state):
        store.trials.finish(trial.id, state, "why")


def test_reasons_may_hold_any_text(store: Store) -> None:
    trial = add_trial(store, add_study(store).id, None, 0)
    assert store.trials.finish(trial.id, "failed", "NUL \0, lone \ud800, ü and 'quotes\"; DROP")
    assert store.trials.get(trial.id).reason == "NUL \ufffd, lone ?, ü and 'quotes\"; DROP"


def test_trials_can_be_asked_for_by_state(store: Store) -> None:
    study = add_study(store)
    trials = [add_trial(store, study.id, None, number) for number in range(3)]
    store.trials.finish(trials[1].id, TrialState.COMPLETE)
    assert [t.number for t in store.trials.of_study(study.id, ["waiting"])] == [0, 2]
    assert [t.number for t in store.trials.of_study(study.id, [TrialState.COMPLETE])] == [1]
    assert store.trials.of_study(study.id, []) == []


def test_a_preempted_trial_is_claimed_and_goes_on(store: Store) -> None:
    study = add_study(store)
    first, second = begin_run(store, study.id), begin_run(store, study.id)
    trial = add_trial(store, study.id, first.id, 0)
    store.trials.start(trial.id, first.id)
    assert not store.trials.start(trial.id, second.id)
    assert store.trials.preempt(trial.id, "interrupted")
    assert store.trials.get(trial.id).reason == "interrupted"

    (claimed,) = store.trials.claim(study.id, second.id)
    assert (claimed.id, claimed.run_id) == (trial.id, second.id)
    assert (claimed.state, claimed.reason) == (TrialState.WAITING, None)
    assert store.trials.claim(study.id, first.id) == []
    assert store.trials.start(trial.id, second.id)
    assert store.trials.get(trial.id).attempts == 2


def test_only_what_no_run_holds_is_claimed(store: Store) -> None:
    study = add_study(store)
    dead, live, mine = (begin_run(store, study.id) for _ in range(3))
    add_trial(store, study.id, dead.id, 0)
    running = add_trial(store, study.id, dead.id, 1)
    store.trials.start(running.id, dead.id)
    add_trial(store, study.id, live.id, 2)
    add_trial(store, study.id, None, 3)
    add_trial(store, study.id, mine.id, 4)
    ended = add_trial(store, study.id, dead.id, 5)
    store.trials.finish(ended.id, "complete")
    store.runs.end(dead.id)
    assert store.trials.get(running.id).state is TrialState.PREEMPTED
    assert [t.number for t in store.trials.claim(study.id, mine.id)] == [0, 1, 3]


def test_a_run_that_lost_its_trial_cannot_change_it(store: Store) -> None:
    study = add_study(store)
    lost, owner = begin_run(store, study.id), begin_run(store, study.id)
    trial = add_trial(store, study.id, owner.id, 0)
    assert not store.trials.finish(trial.id, "complete", run_id=lost.id)
    assert not store.trials.preempt(trial.id, "mine", run_id=lost.id)
    assert store.trials.finish(trial.id, "complete", run_id=owner.id)


def test_many_writers_number_without_gaps(store: Store, store_url: str) -> None:
    study = add_study(store)
    duplicates = []

    def add(start: int) -> None:
        with open_store(store_url, create=False) as own:
            for number in range(start, start + 12):
                try:
                    add_trial(own, study.id, None, number)
                except DuplicateArchitecture:
                    duplicates.append(number)

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 6, 12, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trials = store.trials.of_study(study.id)
    assert [trial.number for trial in trials] == list(range(30))
    assert len({trial.architecture_id for trial in trials}) == 30
    assert len(duplicates) == 18


def test_the_trials_of_an_architecture_are_counted(store: Store, store_url: str) -> None:
    """Also where studies of several processes add the same one at once."""
    studies = [add_study(store, f"study {place}").id for place in range(4)]

    def add(study: int) -> None:
        with open_store(store_url, create=False) as own:
            run = begin_run(own, study)
            for number in range(study % 2, 6):
                add_trial(own, study, run.id, number, exclusive=number % 2 == 0 and study > 2)
            add_trial(own, study, run.id, 3, repeat=1)

    def attempt(study: int) -> None:
        with contextlib.suppress(TrainedElsewhere):  # which adds nothing
            add(study)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(attempt, studies))
    assert counted(store) == Counter(
        id_
        for study in studies
        for id_ in (trial.architecture_id for trial in store.trials.of_study(study))
    )


def counted(store: Store) -> dict[str, int]:
    query = select(ArchitectureRow.id, ArchitectureRow.trials)
    return dict(store.read(lambda connection: [tuple(row) for row in connection.execute(query)]))
