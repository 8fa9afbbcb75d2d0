"""The driver's bookkeeping, with a real store and without Ray."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.driver.assignment import Report
from search.driver.study_setup import initial_points, progress_of, task_of
from search.query.baseline import BASELINE
from search.runner import study_lookup
from search.searchers import Observation, make_searcher
from search.store import Store, TrialState, open_store
from space import Architecture, InputError
from tests.search.driving import begin, begin_run, end, epoch, run_all, train
from tests.search.small import config
from trainers import Cause, Failure, Retry
from trainers.seeds import derive

HASHES = ("0" * 16, "1" * 16)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


def test_workers_are_told_all_that_they_train_by(store: Store, tmp_path: Path) -> None:
    resources = {"cpus_per_trial": 3, "grad_checkpointing": True, "compile": "max-autotune"}
    settings = config(tmp_path, resources=resources)
    assignment = begin(store, settings, training="somewhere:else").next_assignment()
    assert assignment is not None
    protocol = settings.protocol.bound_to("0" * 16, "1" * 16)
    assert assignment.settings == {
        "protocol": protocol.to_dict(),
        "data": settings.data.to_dict(),
        "inspected": None,
        "training": "somewhere:else",
        "plugins": [],
        "device": "cpu",
        "whole_gpu": False,
        "threads": 3,
        "finetune_from": None,
        "processes": 1,
        "compile": "max-autotune",
        "grad_checkpointing": True,
    }


def test_runs_the_planned_number_and_writes_everything_down(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=4)
    session = begin(store, settings)
    run_all(session)
    trials = store.trials.of_study(session.record.id)
    assert [t.number for t in trials] == [0, 1, 2, 3]
    assert {t.state for t in trials} == {TrialState.COMPLETE}
    assert len({t.architecture_id for t in trials}) == 4
    assert {(t.best_accuracy, t.epochs_done, t.attempts) for t in trials} == {(0.5, 2, 1)}
    assert all(set(t.seeds) == {"initialisation", "data_order"} for t in trials)
    assert {t.origin for t in trials} == {"random"}
    stand = session.progress()
    assert (stand.ended, stand.planned, stand.best) == (4, 4, 0.5)
    assert stand.counts == progress_of(store, session.record.id).counts


def test_initial_points_come_first_with_their_origins(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=6, initial=["named", "axes"])
    session = begin(store, settings)
    run_all(session)
    origins = [t.origin for t in store.trials.of_study(session.record.id)]
    expected = [proposal.origin for proposal in initial_points(settings)]
    assert origins[: len(expected)] == expected
    assert "named:ViT" in origins
    assert origins[-1] == "random"


def test_the_random_baseline_is_a_stream_of_its_own(store: Store, tmp_path: Path) -> None:
    """The same in every release, as a study that is resumed goes on in it."""
    settings = config(tmp_path, trials=6, random_baseline=0.5)
    session = begin(store, settings)
    run_all(session)
    trials = store.trials.of_study(session.record.id)
    assert [t.origin == BASELINE for t in trials].count(True) == 3
    alone = make_searcher("random", task_of(settings), derive(settings.searcher_seed, 2))
    before: set[str] = set()
    for trial in trials:
        if trial.origin == BASELINE:
            drawn = (alone.ask(attempt).id for attempt in range(alone.attempts))
            assert trial.architecture_id == next(id_ for id_ in drawn if id_ not in before)
        before.add(trial.architecture_id)
        point = Architecture.from_json(store.architectures.get(trial.architecture_id).json)
        alone.tell(point, Observation(trial.state))


def test_more_trials_than_points_ends_exhausted(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1000)
    session = begin(store, settings)
    run_all(session)
    assert session.exhausted is not None
    assert "are in the study" in session.exhausted
    distinct = {t.architecture_id for t in store.trials.of_study(session.record.id)}
    assert len(distinct) == len(store.trials.of_study(session.record.id)) > 20


def test_asha_prunes_with_a_reason(store: Store, tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        trials=2,
        protocol={"epochs": 4},
        scheduler={"name": "asha", "grace_epochs": 1, "reduction_factor": 2},
    )
    session = begin(store, settings)
    for accuracies in ([0.9, 0.9, 0.9, 0.9], [0.1, 0.2, 0.3, 0.4]):
        assignment = session.next_assignment()
        assert assignment is not None
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text("weights")
        train(session, assignment, accuracies)
    first, second = store.trials.of_study(session.record.id)
    assert first.state == TrialState.COMPLETE
    assert (second.state, second.epochs_done) == (TrialState.PRUNED, 1)
    assert second.reason == "place 2 of 2 after 1 epoch; only the best went on (asha)"
    files = sorted(p.name for p in (tmp_path / "checkpoints").rglob("*.safetensors"))
    # A pruned trial can be continued, so its checkpoint stays too.
    assert [name[:5] for name in files] == ["00000", "00001"]


def test_a_paired_comparison_is_not_cut_short(store: Store, tmp_path: Path) -> None:
    """Also by a later driver, which retells what was before; what follows is judged as ever."""
    settings = config(
        tmp_path,
        trials=8,
        initial=["paired"],
        protocol={"epochs": 2},
        scheduler={"name": "asha", "grace_epochs": 1, "reduction_factor": 2},
    )
    session = begin(store, settings)
    pairs = len(initial_points(settings))
    assert 2 <= pairs < 8
    for number in range(8):
        if number == 1:
            session = begin(store, settings)
        assignment = session.next_assignment()
        assert assignment is not None
        train(session, assignment, [0.9 - 0.1 * number] * 2)
    trials = store.trials.of_study(session.record.id)
    assert [t.origin.startswith("paired:") for t in trials] == [n < pairs for n in range(8)]
    assert [t.state == TrialState.COMPLETE for t in trials] == [n < pairs for n in range(8)]


@pytest.mark.parametrize("state", ["failed", "infeasible"])
def test_a_worker_that_reports_its_end(store: Store, tmp_path: Path, state: str) -> None:
    session = begin(store, config(tmp_path, trials=2))
    assignment = session.next_assignment()
    assert assignment is not None
    session.started(0)
    reason = "train loss is nan in epoch 1, step 3"
    failure = Failure(Cause.ARCHITECTURE, reason, infeasible=state == "infeasible")
    report = Report(failure=failure)
    session.reported(0, report)
    session.ended(0, report)
    session.crashed(0, Failure(Cause.CODE, "later news do not count"))
    trial = store.trials.of_study(session.record.id)[0]
    assert (trial.state, trial.reason) == (state, reason)
    run_all(session)
    assert session.progress().ended == 2


def test_a_worker_that_died(store: Store, tmp_path: Path) -> None:
    session = begin(store, config(tmp_path, trials=1, retries=1))
    died = (0, Failure(Cause.CODE, "the worker process died", retry=Retry.COUNTED))
    first = session.next_assignment()
    assert first is not None
    session.started(0)
    session.reported(0, Report((epoch(1, 0.45),)))
    session.crashed(*died)
    trial = store.trials.of_study(session.record.id)[0]
    assert (trial.state, trial.reason) == (TrialState.PREEMPTED, "the worker process died")
    again = session.next_assignment()  # it goes on from its checkpoint, once
    assert again is not None
    assert (again.trial.number, again.checkpoint) == (0, first.checkpoint)
    session.started(0)
    session.crashed(*died)
    trial = store.trials.of_study(session.record.id)[0]
    assert (trial.state, trial.reason) == (TrialState.FAILED, "the worker process died")
    assert (trial.attempts, trial.epochs_done) == (2, 1)
    assert session.next_assignment() is None


def test_want_of_memory_of_the_architecture_itself_is_not_tried_again(
    store: Store, tmp_path: Path
) -> None:
    session = begin(store, config(tmp_path, trials=1, retries=5))
    session.next_assignment()
    session.started(0)
    session.crashed(0, Failure(Cause.ARCHITECTURE, "out of memory", infeasible=True))
    assert store.trials.of_study(session.record.id)[0].state == TrialState.INFEASIBLE


def test_non_finite_accuracy_is_stored_as_none_and_judged_nowhere(
    store: Store, tmp_path: Path
) -> None:
    session = begin(store, config(tmp_path, trials=1))
    session.next_assignment()
    session.started(0)
    session.reported(0, Report((epoch(1, float("nan")),)))
    assert (
        store.epochs.of_trial(store.trials.of_study(session.record.id)[0].id)[0].validation_accuracy
        is None
    )
    assert session.progress().best is None


# --- resuming ---------------------------------------------------------------------------------


def test_the_next_run_goes_on_with_what_was_open(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=5)
    with open_store(str(tmp_path / "undisturbed.db"), create=True) as other:
        whole = begin(other, settings)
        run_all(whole)
        same = other.trials.of_study(whole.record.id)

    session = begin(store, settings)
    first = session.next_assignment()
    assert first is not None
    train(session, first, [0.4, 0.5])
    interrupted, waiting = session.next_assignment(), session.next_assignment()
    assert interrupted is not None
    assert waiting is not None
    session.started(1)
    session.reported(1, Report((epoch(1, 0.45),)))
    store.runs.end(store.runs.of_study(session.record.id)[-1].id, "interrupted by SIGINT")
    states = [t.state for t in store.trials.of_study(session.record.id)]
    assert states == [TrialState.COMPLETE, TrialState.PREEMPTED, TrialState.PREEMPTED]

    resumed = begin(store, settings)
    again = resumed.next_assignment()
    assert again is not None
    assert again.checkpoint == interrupted.checkpoint
    # The worker goes on from its checkpoint and repeats what it reported before.
    resumed.started(1)
    report = Report((epoch(1, 0.45), epoch(2, 0.55)), complete=True)
    resumed.reported(1, report)
    resumed.ended(1, report)
    run_all(resumed)
    trials = store.trials.of_study(session.record.id)
    assert [t.attempts for t in trials] == [1, 2, 1, 1, 1]
    assert [t.epochs_done for t in trials] == [2] * 5
    assert {t.state for t in trials} == {TrialState.COMPLETE}
    # The searcher goes on as it would have: the same points as in the uninterrupted study.
    assert [t.architecture_id for t in trials] == [t.architecture_id for t in same]
    assert [t.seeds for t in trials] == [t.seeds for t in same]


def test_a_lost_checkpoint_forgets_the_epochs_beyond_it(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol={"epochs": 4})
    session = begin(store, settings)
    session.next_assignment()
    session.started(0)
    for number in (1, 2, 3):
        session.reported(0, Report((epoch(number, 0.1 * number),)))
    store.runs.end(store.runs.of_study(session.record.id)[-1].id, "killed")
    resumed = begin(store, settings)
    resumed.next_assignment()
    resumed.started(0)
    resumed.reported(0, Report((epoch(1, 0.15),)))
    trial = store.trials.of_study(session.record.id)[0]
    assert (trial.epochs_done, trial.best_accuracy) == (1, 0.15)


@pytest.mark.parametrize("killed", [None, "before", "after"])
def test_what_was_forgotten_counts_in_no_rung_whoever_drives_on(
    store: Store, tmp_path: Path, killed: str | None
) -> None:
    """The driver is killed before the lost epochs are trained again, or after, or not at all."""
    asha = {"name": "asha", "grace_epochs": 1}
    settings = config(tmp_path, trials=2, protocol={"epochs": 4}, scheduler=asha)
    session = begin(store, settings)
    session.next_assignment()
    session.started(0)
    session.reported(0, Report((epoch(1, 0.9),)))
    session.reported(0, Report((epoch(2, 0.9),)))
    session.crashed(0, Failure(Cause.CODE, "its node is gone", retry=Retry.COUNTED))
    session.next_assignment()
    session.started(0)
    if killed == "before":
        store.epochs.forget(store.trials.of_study(session.record.id)[0].id, after=0)
    else:
        session.reported(0, Report((epoch(1, 0.1),)))
    if killed is not None:
        end(store, session)
        session = begin(store, settings)
        session.next_assignment()
        session.started(0)
        session.reported(0, Report((epoch(1, 0.1),)))
    second = session.next_assignment()
    assert second is not None
    train(session, second, [0.5, 0.5, 0.5, 0.5])
    assert store.trials.of_study(session.record.id)[1].state == TrialState.COMPLETE


def test_asha_remembers_the_rungs_of_earlier_runs(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=2, scheduler={"name": "asha", "grace_epochs": 1})
    session = begin(store, settings)
    first = session.next_assignment()
    assert first is not None
    train(session, first, [0.9, 0.9])
    store.runs.end(store.runs.of_study(session.record.id)[-1].id, "killed")
    resumed = begin(store, settings)
    second = resumed.next_assignment()
    assert second is not None
    train(resumed, second, [0.1, 0.2])
    assert store.trials.of_study(session.record.id)[1].state == TrialState.PRUNED


def test_a_driver_that_lost_its_run_writes_no_more(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1)
    lost = begin(store, settings)
    lost.next_assignment()
    lost.started(0)
    store.runs.end(store.runs.of_study(lost.record.id)[-1].id, "taken for dead")
    winner = begin(store, settings)
    winner.next_assignment()
    winner.started(0)
    report = Report((epoch(1, 0.9), epoch(2, 0.9)), complete=True)
    lost.reported(0, report)
    lost.ended(0, report)
    trial = store.trials.of_study(winner.record.id)[0]
    assert (trial.state, trial.epochs_done) == (TrialState.RUNNING, 0)


# --- finding the study ------------------------------------------------------------------------


def test_looking_for_a_study_writes_nothing(tmp_path: Path) -> None:
    assert study_lookup.find_study(str(tmp_path / "absent.db"), "tiny") is None
    assert list(tmp_path.iterdir()) == []


def test_a_taken_name_is_refused_with_two_ways_on(store: Store, tmp_path: Path) -> None:
    settings = config(tmp_path)
    begin(store, settings)
    found = study_lookup.find_study(settings.store, "tiny")
    with pytest.raises(InputError, match=r"resume=True.*study=NAME"):
        study_lookup.resolve(settings, found, resume=False)


def test_a_live_driver_is_not_disturbed(store: Store, tmp_path: Path) -> None:
    session = begin(store, config(tmp_path))
    with pytest.raises(InputError, match=f"process {os.getpid()} on .* is working on 'tiny'"):
        study_lookup.take_over(store, session.record, lambda _: None)
    second = begin_run(store, session.record.id)
    with pytest.raises(InputError, match="is working on"):
        study_lookup.withdraw_if_second(store, session.record, second)
    assert store.runs.of_study(session.record.id)[1].ended is not None
    study_lookup.withdraw_if_second(
        store, session.record, store.runs.of_study(session.record.id)[0]
    )


def test_other_images_are_refused_once_something_was_trained(store: Store, tmp_path: Path) -> None:
    """Before that a broken file may have been mended."""
    session = begin(store, config(tmp_path))
    other = config(tmp_path).protocol.bound_to("2" * 16, HASHES[1])
    study_lookup.check_same_data(config(tmp_path).store, session.record, other)
    assignment = session.next_assignment()
    assert assignment is not None
    train(session, assignment, [0.5])
    with pytest.raises(InputError, match="content_hash differ"):
        study_lookup.check_same_data(config(tmp_path).store, session.record, other)
