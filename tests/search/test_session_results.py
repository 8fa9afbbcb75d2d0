"""Nothing is trained twice, nothing is lost: reuse, repeats, continued trials, other studies."""

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from search.driver.assignment import Assignment, Report
from search.driver.extra_trials import ExtraTrials, continue_ended, repeat_best
from search.driver.session import StudySession
from search.driver.study_setup import create_study, progress_of, task_of
from search.runner.retraining import to_retrain
from search.runner.run_outcome import nothing_left
from search.store import EpochRecord, Store, StoreAway, TrialState, open_store
from space.errors import InputError
from tests.search.driving import accuracy, begin, end, epoch, play, run_all, train
from tests.search.small import config

ASHA = {"name": "asha", "grace_epochs": 1, "reduction_factor": 2}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


# --- reuse ------------------------------------------------------------------------------------


def test_another_study_takes_results_over_and_says_so(store: Store, tmp_path: Path) -> None:
    first = begin(store, config(tmp_path, trials=4))
    play(first, 2)
    second = begin(store, config(tmp_path, trials=6, study="second"))
    trained = []
    while (assignment := second.next_assignment()) is not None:
        trained.append(assignment.architecture.id)
        train(second, assignment, [0.4, 0.5])
    old, new = store.trials.of_study(first.record.id), store.trials.of_study(second.record.id)
    assert [t.architecture_id for t in new[:4]] == [t.architecture_id for t in old]
    assert trained == [t.architecture_id for t in new[4:]]
    for mine, theirs in zip(new, old, strict=False):
        assert (mine.state, mine.source_trial_id) == (TrialState.COMPLETE, theirs.id)
        assert mine.best_accuracy == theirs.best_accuracy
        assert mine.reason == f"result of trial {theirs.number} of study 'tiny', same protocol"
    assert store.studies.summary(second.record.id).reused == second.progress().reused == 4
    assert second.progress().best == max(t.best_accuracy or 0 for t in (*old, *new))


def test_another_protocol_takes_nothing_over(store: Store, tmp_path: Path) -> None:
    play(begin(store, config(tmp_path, trials=4)), 2)
    protocol = {"epochs": 2, "batch_size": 20}
    second = begin(store, config(tmp_path, trials=4, study="second", protocol=protocol))
    play(second, 2)
    assert all(t.source_trial_id is None for t in store.trials.of_study(second.record.id))


def test_a_pruned_result_goes_on_from_its_checkpoint(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=8, protocol={"epochs": 4}, scheduler=ASHA)
    first = begin(store, settings)
    play(first, 4)
    pruned = [t for t in store.trials.of_study(first.record.id) if t.state == TrialState.PRUNED]
    assert pruned
    whole = config(
        tmp_path, trials=8, protocol={"epochs": 4}, study="whole", seeds={"data_order": 9}
    )
    second = begin(store, whole)
    handed: list[Assignment] = []
    while (assignment := second.next_assignment()) is not None:
        handed.append(assignment)
        done = assignment.trial.epochs_done
        id_ = assignment.architecture.id
        assert assignment.checkpoint.read_text() == f"weights of {id_}"
        second.started(assignment.trial.number)
        metrics = tuple(epoch(e, accuracy(id_, e)) for e in range(1, 5))
        assert done > 0
        report = Report(metrics, complete=True)
        second.reported(assignment.trial.number, report)
        second.ended(assignment.trial.number, report)
    assert {a.architecture.id for a in handed} == {t.architecture_id for t in pruned}
    seeds = {t.architecture_id: t.seeds for t in pruned}
    assert all(a.trial.seeds == seeds[a.architecture.id] for a in handed)
    trials = store.trials.of_study(second.record.id)
    assert {(t.state, t.epochs_done) for t in trials} == {(TrialState.COMPLETE, 4)}


def test_what_another_study_is_training_is_left_to_it(store: Store, tmp_path: Path) -> None:
    first = begin(store, config(tmp_path, trials=3))
    busy = [first.next_assignment() for _ in range(3)]
    second = begin(store, config(tmp_path, trials=1000, study="second"))
    play(second, 2)
    mine = {t.architecture_id for t in store.trials.of_study(second.record.id)}
    assert mine
    assert not mine & {a.architecture.id for a in busy if a is not None}
    assert second.exhausted == (
        "what is left is being trained by other studies with the same protocol"
    )


def test_a_study_that_goes_on_after_all_is_exhausted_no_longer(
    store: Store, tmp_path: Path
) -> None:
    """Other studies held what was left, and then let go of it."""
    first = begin(store, config(tmp_path, trials=1000))
    while first.next_assignment() is not None:
        pass
    end(store, first)
    second = begin(store, config(tmp_path, trials=6, study="second"))
    mine = second.next_assignment()
    assert mine is not None
    again = begin(store, config(tmp_path, trials=1000))
    assert second.next_assignment() is None
    assert second.exhausted is not None
    end(store, again)
    assert second.next_assignment() is not None
    assert second.exhausted is None
    assert not nothing_left(second)


# --- continued and repeated trials ------------------------------------------------------------


def test_pruned_trials_go_on_to_their_end_by_request(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=8, protocol={"epochs": 4}, scheduler=ASHA)
    session = begin(store, settings)
    play(session, 4)
    end(store, session)
    before = {t.number: t for t in store.trials.of_study(session.record.id)}
    extra = continue_ended(pruned=2)(store, session.record, task_of(settings))
    best = sorted(
        (t for t in before.values() if t.state == TrialState.PRUNED),
        key=lambda t: -(t.best_accuracy or 0),
    )[:2]
    assert set(extra.continued) == {t.id for t in best}
    again = begin(store, settings, extra=extra)
    play(again, 4)
    after = {t.number: t for t in store.trials.of_study(session.record.id)}
    for trial in best:
        assert after[trial.number].state == TrialState.COMPLETE
        assert after[trial.number].epochs_done == 4
        assert after[trial.number].continued == 1
    assert len(after) == 8


def test_a_complete_trial_is_not_continued(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=2)
    session = begin(store, settings)
    play(session, 2)
    with pytest.raises(InputError, match="has no pruned trial"):
        continue_ended(pruned=2)(store, session.record, task_of(settings))
    with pytest.raises(InputError, match="has no failed trial"):
        continue_ended(failed=True)(store, session.record, task_of(settings))
    with pytest.raises(InputError, match="1 can not be continued in 'tiny'; those that can: none"):
        continue_ended(numbers=[1])(store, session.record, task_of(settings))


def test_the_best_are_repeated_with_other_seeds(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=4)
    session = begin(store, settings)
    play(session, 2)
    end(store, session)
    task = task_of(settings)
    best = sorted(store.trials.of_study(session.record.id), key=lambda t: -(t.best_accuracy or 0))[
        :2
    ]
    extra = repeat_best(2, 3)(store, session.record, task)
    again = begin(store, settings, extra=extra)
    assert again.progress().planned == 8
    play(again, 2)
    end(store, again)
    repeats = [t for t in store.trials.of_study(session.record.id) if t.repeat]
    expected = {(t.architecture_id, k) for t in best for k in (1, 2)}
    assert {(t.architecture_id, t.repeat) for t in repeats} == expected
    for trial in best:
        seeds = [str(t.seeds) for t in store.trials.of_architecture(trial.architecture_id)]
        assert len(set(seeds)) == 3
    assert repeat_best(2, 3)(store, session.record, task) == ExtraTrials()
    stand = progress_of(store, session.record.id)
    assert (stand.ended, stand.planned) == (8, 8)


# --- random points ----------------------------------------------------------------------------


def test_a_share_of_the_trials_is_random(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=20, random_baseline=0.25, searcher={"name": "tpe"})
    session = begin(store, settings)
    run_all(session)
    origins = [t.origin for t in store.trials.of_study(session.record.id)]
    assert [i for i, origin in enumerate(origins) if origin == "random baseline"] == [
        3,
        7,
        11,
        15,
        19,
    ]
    assert origins.count("tpe") == 15


# --- the same points, whatever happened -------------------------------------------------------


@pytest.mark.parametrize("searcher", ["random", "tpe"])
def test_a_driver_killed_at_any_moment_asks_for_the_same_points(
    tmp_path: Path, searcher: str
) -> None:
    """Three workers report in a shuffled order; the driver dies again and again."""

    def study(kills: bool) -> list[tuple[str, str, str | None]]:
        folder = tmp_path / f"kills {kills}"
        folder.mkdir()
        settings = config(
            folder,
            trials=14,
            searcher={"name": searcher},
            protocol={"epochs": 4},
            scheduler=ASHA,
        )
        order, killing = random.Random(3), random.Random(4)
        with open_store(str(folder / "tiny.db"), create=True) as opened:
            session = begin(opened, settings)
            working: dict[int, tuple[Assignment, int]] = {}
            while True:
                while len(working) < 3 and (given := session.next_assignment()) is not None:
                    session.started(given.trial.number)
                    working[given.trial.number] = (given, 0)
                if not working:
                    break
                number = order.choice(sorted(working))
                given, done = working.pop(number)
                id_ = given.architecture.id
                metrics = tuple(epoch(e, accuracy(id_, e)) for e in range(1, done + 2))
                report = Report(metrics, done == 3)
                if session.reported(number, report).stop or done == 3:
                    session.ended(number, report)
                else:
                    working[number] = (given, done + 1)
                if kills and killing.random() < 0.2:
                    end(opened, session)
                    session = begin(opened, settings)
                    # Each worker goes on from its checkpoint, in the same order as before.
                    taken = [session.next_assignment() for _ in working]
                    assert {t.trial.number for t in taken if t} == set(working)
                    for again in filter(None, taken):
                        session.started(again.trial.number)
                        working[again.trial.number] = (again, working[again.trial.number][1])
            return [
                (t.architecture_id, t.state.value, t.reason)
                for t in opened.trials.of_study(session.record.id)
            ]

    assert study(kills=True) == study(kills=False)


# --- what an earlier study did in the meantime ------------------------------------------------


def interrupted(store: Store, tmp_path: Path) -> StudySession:
    """A study whose first trial has trained one epoch of two when its driver is gone."""
    session = begin(store, config(tmp_path, trials=1, study="first"))
    given = session.next_assignment()
    assert given is not None
    session.started(0)
    session.reported(0, Report((epoch(1, 0.11),)))
    end(store, session)
    return session


def test_what_another_study_has_completed_is_not_trained_on(store: Store, tmp_path: Path) -> None:
    first = interrupted(store, tmp_path)
    second = begin(store, config(tmp_path, trials=1, study="second"))
    play(second, 2)
    end(store, second)
    resumed = begin(store, config(tmp_path, trials=1, study="first"))
    assert resumed.next_assignment() is None
    trial, source = (
        store.trials.of_study(first.record.id)[0],
        store.trials.of_study(second.record.id)[0],
    )
    assert (trial.state, trial.source_trial_id) == (TrialState.COMPLETE, source.id)
    assert (trial.best_accuracy, trial.epochs_done) == (source.best_accuracy, 2)


def test_a_continued_trial_takes_over_what_another_study_has(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=8, protocol={"epochs": 4}, scheduler=ASHA, study="first")
    first = begin(store, settings)
    play(first, 4)
    end(store, first)
    second = begin(store, config(tmp_path, trials=8, protocol={"epochs": 4}, study="second"))
    play(second, 4)
    end(store, second)
    extra = continue_ended(pruned=1)(store, first.record, task_of(settings))
    again = begin(store, settings, extra=extra)
    assert again.next_assignment() is None
    trial = store.trials.get(extra.continued[0])
    assert trial.state == TrialState.COMPLETE
    assert trial.source_trial_id is not None


@pytest.mark.parametrize("store_goes_away", [False, True])
def test_what_another_process_has_completed_in_this_study_is_known(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, store_goes_away: bool
) -> None:
    """It proposes the same point, finds it trained, and counts it as what it is."""
    settings = config(tmp_path, trials=3)
    late, quick = begin(store, settings), begin(store, settings)
    first = quick.next_assignment()
    assert first is not None
    train(quick, first, [0.4, 0.6])

    def away(trial_id: int) -> list[EpochRecord]:
        monkeypatch.undo()
        raise StoreAway("the server restarts")

    if store_goes_away:
        monkeypatch.setattr(store.epochs, "of_trial", away)
        assert late.next_assignment() is None
    second = late.next_assignment()
    assert second is not None
    assert second.architecture.id != first.architecture.id
    assert late.progress().counts[TrialState.COMPLETE] == 1
    assert late.progress().best == 0.6


@pytest.mark.parametrize("store_goes_away", [False, True])
def test_a_retraining_trains_each_once_and_in_its_order(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, store_goes_away: bool
) -> None:
    found = config(tmp_path, trials=4, protocol={"epochs": 2, "initialisation": "inherited"})
    searched = begin(store, found)
    play(searched, 2)
    end(store, searched)
    asked = to_retrain(found.store, top=2, study=found.study, seeds=3)
    settings = asked.config
    study = create_study(store, settings, settings.protocol.bound_to("0" * 16, "1" * 16))
    extra = asked.request(store, study, task_of(settings))
    session, other = (begin(store, settings, extra=extra) for _ in range(2))
    taken = other.next_assignment()  # another process is the first to train one
    assert taken is not None
    train(other, taken, [0.4, 0.5])
    if store_goes_away:
        for part, name in ((store.trials, "add"), (store.epochs, "of_trial")):
            monkeypatch.setattr(part, name, away_at_first(getattr(part, name)))
    planned = {session.progress().planned}
    for _ in range(20):
        if (given := session.next_assignment()) is not None:
            train(session, given, [0.4, 0.5])
        planned.add(session.progress().planned)
    assert planned == {session.progress().ended} == {6}
    trained = [(t.architecture_id, t.repeat) for t in store.trials.of_study(study.id)]
    assert trained == [(asked.architecture.id, asked.repeat) for asked in extra.repeats]


def away_at_first(ask: Callable[..., Any]) -> Callable[..., Any]:
    """What the store does, but for every other call, the first one included."""
    away = itertools.cycle([True, False])

    def call(*args: Any, **kwargs: Any) -> Any:
        if next(away):
            raise StoreAway("the server restarts")
        return ask(*args, **kwargs)

    return call


def test_a_result_that_is_gone_when_it_is_taken_is_trained(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process deletes the study between two statements."""
    first = begin(store, config(tmp_path, trials=1, study="first"))
    play(first, 2)
    end(store, first)
    second = begin(store, config(tmp_path, trials=1, study="second"))
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(store.results, "reuse", lambda *ids: asked.append(ids) or False)
    given = second.next_assignment()
    assert given is not None
    source = store.trials.of_study(first.record.id)[0]
    assert asked == [(given.trial.id, source.id, given.trial.run_id)]
    assert given.trial.source_trial_id is None
    assert not given.checkpoint.exists()


def test_what_another_study_trains_now_is_not_continued_and_that_is_said(
    store: Store, tmp_path: Path
) -> None:
    settings = config(tmp_path, trials=8, protocol={"epochs": 4}, scheduler=ASHA, study="first")
    first = begin(store, settings)
    play(first, 4)
    end(store, first)
    extra = continue_ended(pruned=1)(store, first.record, task_of(settings))
    pruned = store.trials.get(extra.continued[0])
    second = begin(store, config(tmp_path, trials=8, protocol={"epochs": 4}, study="second"))
    given = second.next_assignment()
    while given is not None and given.architecture.id != pruned.architecture_id:
        train(second, given, [0.4, 0.5, 0.6, 0.7])
        given = second.next_assignment()
    assert given is not None
    said: list[str] = []
    again = begin(store, settings, extra=extra, say=said.append)
    assert again.next_assignment() is None
    assert said == [
        f"Trial {pruned.number} is left as it is: another study trains that architecture."
    ]
    assert store.trials.get(pruned.id).state == TrialState.PRUNED
