"""Trials that go wrong on the real path: Ray's processes, the driver, the store."""

from pathlib import Path

import pytest

from search.exit_code import ExitCode
from search.runner import RunOutcome, run_study
from search.store import TrialRecord, TrialState, open_store
from space import InputError
from tests.search.small import Silent, config

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunOutcome, list[TrialRecord]]:
    """A study whose first five trials each break in their own way, in one Ray."""
    settings = config(tmp_path_factory.mktemp("faults"), trials=8)
    outcome = run_study(
        settings, resume=False, watcher=Silent(), training="tests.search.faults:by_number"
    )
    with open_store(settings.store, create=False) as store:
        return outcome, store.trials(store.study("tiny").id)


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (0, TrialState.FAILED, "train loss is nan in epoch 2, step 17"),
        (1, TrialState.FAILED, "RuntimeError: the flux capacitor is empty"),
        (2, TrialState.INFEASIBLE, "out of memory: "),
        (3, TrialState.FAILED, "the worker process died: "),
        (4, TrialState.FAILED, "KeyError: 'broken before the first epoch'"),
    ],
)
def test_each_fault_is_a_state_with_a_reason(
    result: tuple[RunOutcome, list[TrialRecord]], number: int, state: TrialState, reason: str
) -> None:
    trial = result[1][number]
    assert trial.state == state
    assert trial.reason is not None
    assert trial.reason.startswith(reason)
    assert len(trial.reason) > len("the worker process died: ") + 5
    assert trial.epochs_done == (0 if number == 4 else 1)


def test_the_study_goes_on_to_its_planned_number(
    result: tuple[RunOutcome, list[TrialRecord]],
) -> None:
    outcome, trials = result
    assert outcome.exit_code == ExitCode.DONE
    assert [t.number for t in trials] == list(range(8))
    assert {t.state for t in trials[5:]} == {TrialState.COMPLETE}
    assert {t.epochs_done for t in trials[5:]} == {2}


def test_more_gpus_than_there_are_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = config(tmp_path, resources={"gpus_per_trial": 64, "cpus_per_trial": 500})
    with pytest.raises(InputError) as error:
        run_study(settings, resume=False, watcher=Silent())
    assert [p.where for p in error.value.problems] == [
        "resources.cpus_per_trial",
        "resources.gpus_per_trial",
    ]
    assert "asks for 64 GPU, and the cluster has" in str(error.value)
    assert list(tmp_path.iterdir()) == []
