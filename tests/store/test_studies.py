import math
import re
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from search.store import Store, TrialState
from search.store.models import StudyRow
from space.errors import InputError
from tests.support.samples import add_study, add_trial, begin_run, complete_trial


def test_a_study_comes_back_as_it_was_given(store: Store) -> None:
    made = add_study(store, "first", config={"a": [1, {"b": math.nan}], "c": "ü"}, planned_trials=7)
    assert store.studies.get("first") == made
    assert made.config == {"a": [1, {"b": None}], "c": "ü"}
    assert made.planned_trials == 7
    assert made.created.tzinfo is not None
    assert store.studies.exists("first")
    assert not store.studies.exists("second")


def test_a_taken_name_is_refused(store: Store) -> None:
    add_study(store, "first")
    with pytest.raises(InputError, match=r"'first' is already in .*resume=True") as caught:
        add_study(store, "first")
    assert caught.value.problems[0].where == "study"
    assert len(store.studies.summaries()) == 1


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "a\0b", "x" * 201])
def test_what_cannot_be_a_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        add_study(store, name)
    assert store.studies.summaries() == []


def test_an_absent_study_names_the_close_ones(store: Store) -> None:
    with pytest.raises(InputError, match="holds no study yet"):
        store.studies.get("quickstart")
    for name in ("quickstart", "imagenet", "other"):
        add_study(store, name)
    with pytest.raises(InputError, match=r"did you mean 'quickstart'\?"):
        store.studies.get("quikstart")
    with pytest.raises(InputError, match="the newest are 'other', 'imagenet', 'quickstart'"):
        store.studies.get("zzz")


def test_planned_trials_can_change(store: Store) -> None:
    study = add_study(store)
    store.studies.set_planned_trials(study.id, 99)
    assert store.studies.get(study.name).planned_trials == 99


def test_the_budget_can_change_and_the_rest_of_the_configuration_stays(store: Store) -> None:
    study = add_study(store, config={"budget": "3 gpu-hours", "a": {"b": math.nan}, "c": "ü"})
    other = add_study(store, "other", config={"budget": "3 gpu-hours"})
    for budget in ("4 gpu-hours", None):
        store.studies.set_budget(study.id, budget)
        kept = store.studies.get(study.name).config
        assert (kept["budget"], kept["c"]) == (budget, "ü")
        assert kept["a"] == {"b": None}
    assert store.studies.get(other.name).config == {"budget": "3 gpu-hours"}


def test_every_study_has_a_uid_of_its_own(store: Store) -> None:
    studies = [add_study(store, name) for name in ("first", "second")]
    assert all(re.fullmatch("[0-9a-f]{32}", study.uid) for study in studies)
    assert studies[0].uid != studies[1].uid
    assert store.studies.get("first").uid == studies[0].uid


def test_where_the_checkpoints_are_is_remembered(store: Store) -> None:
    study = add_study(store)
    assert study.checkpoints is None
    for value in ({"folder": "a/b", "node": None}, "a/b", None):
        store.studies.set_checkpoints(study.id, value)
        assert store.studies.get(study.name).checkpoints == value


def test_summaries_count_by_state(store: Store) -> None:
    idle = add_study(store, "idle")
    busy = add_study(store, "busy")
    run = begin_run(store, busy.id)
    complete_trial(store, busy.id, run.id, 0, 0.5)
    complete_trial(store, busy.id, run.id, 1, 0.75)
    complete_trial(store, busy.id, run.id, 2, None)
    broken = add_trial(store, busy.id, run.id, 3)
    store.trials.finish(broken.id, "failed", "train loss is nan")
    add_trial(store, busy.id, run.id, 4)

    newest, oldest = store.studies.summaries()
    assert (newest.name, oldest.name) == ("busy", "idle")
    assert newest.counts == dict.fromkeys(TrialState, 0) | {
        TrialState.COMPLETE: 3,
        TrialState.FAILED: 1,
        TrialState.WAITING: 1,
    }
    assert (newest.trials, newest.ended_trials) == (5, 4)
    assert newest.best_accuracy == 0.75
    assert newest.is_running
    assert newest.started == run.started
    assert newest.last_activity >= run.started
    assert not oldest.is_running
    assert oldest.best_accuracy is None
    assert (oldest.started, oldest.last_activity) == (None, idle.created)
    assert store.studies.summary(busy.id) == newest
    with pytest.raises(LookupError):
        store.studies.summary(999)


def test_repeats_are_planned_as_far_as_they_are_there(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for number in range(3):
        complete_trial(store, study.id, run.id, number, 0.5)
    assert store.studies.summary(study.id).is_done
    repeat = add_trial(store, study.id, run.id, 0, repeat=1)
    summary = store.studies.summary(study.id)
    assert (summary.ended_trials, summary.all_planned_trials, summary.is_done) == (3, 4, False)
    store.trials.finish(repeat.id, "complete")
    assert store.studies.summary(study.id).is_done


def test_the_repeats_of_a_retraining_are_planned_before_they_are_there(store: Store) -> None:
    study = add_study(store, planned_trials=2)
    seeds = [
        {"architecture": "a", "trial": 0, "seeds": 3},
        {"architecture": "b", "trial": 1, "seeds": 2},
    ]
    store.studies.set_retrains(study.id, {"study": "search", "networks": seeds})
    run = begin_run(store, study.id)
    for number, repeat in ((0, 0), (1, 0), (0, 1), (1, 1)):
        complete_trial(store, study.id, run.id, number, 0.5, repeat=repeat)
    summary = store.studies.summary(study.id)
    assert (summary.ended_trials, summary.all_planned_trials, summary.is_done) == (4, 5, False)
    complete_trial(store, study.id, run.id, 0, 0.5, repeat=2)
    assert store.studies.summary(study.id).is_done


def test_an_ended_run_is_not_running(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    store.runs.end(run.id)
    store.runs.end(run.id)
    summary = store.studies.summary(study.id)
    assert not summary.is_running
    (ended,) = store.runs.of_study(study.id)
    assert ended.ended is not None
    assert ended.machine == {"cpus": 2}
    assert summary.last_activity == ended.ended
    assert not store.runs.heartbeat(run.id)


def test_the_protocol_may_change_as_long_as_nothing_was_trained(store: Store) -> None:
    study = add_study(store)
    store.studies.set_protocol(study.id, {"epochs": 7}, "other")
    changed = store.studies.get(study.name)
    assert (changed.protocol, changed.protocol_hash) == ({"epochs": 7}, "other")
    assert not store.studies.was_trained(study.id)
    complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.5)
    assert store.studies.was_trained(study.id)
    with pytest.raises(InputError, match="epochs were trained under another protocol"):
        store.studies.set_protocol(study.id, {"epochs": 8}, "third")
    assert store.studies.get(study.name) == changed


def test_what_has_no_such_number_is_said(store: Store) -> None:
    study = add_study(store)
    assert store.studies.by_id(study.id) == study
    with pytest.raises(LookupError, match=f"^no study has the id {study.id + 1}$"):
        store.studies.by_id(study.id + 1)
    store.runs.end(99)  # of a run that is not there nothing is left open
    assert store.runs.of_study(study.id) == []


def test_a_time_without_a_zone_is_no_time_of_the_store(store: Store) -> None:
    rows = select(StudyRow.id).where(StudyRow.created < datetime(2026, 11, 1))
    with pytest.raises(StatementError, match="times in the store carry a zone"):
        store.read(lambda connection: connection.execute(rows))
