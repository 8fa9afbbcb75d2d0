"""Faults of a real GPU, in one Ray; where there is none, test_ray_faults.py has stand-ins."""

from pathlib import Path

import pytest

from search.exit_code import ExitCode
from search.runner import RunOutcome, run_study
from search.store import TrialRecord, TrialState, open_store
from tests.search.small import Silent, config

pytestmark = [pytest.mark.gpu, pytest.mark.ray, pytest.mark.timeout(240)]
TRIALS = 5


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunOutcome, list[TrialRecord], Path]:
    place = tmp_path_factory.mktemp("gpu")
    resources = {"gpus_per_trial": 1, "cpus_per_trial": 1, "concurrent_trials": 1}
    settings = config(place, trials=TRIALS, resources=resources)
    training = "tests.search.gpu_faults:by_number"
    outcome = run_study(settings, resume=False, watcher=Silent(), training=training)
    with open_store(settings.store, create=False) as store:
        return outcome, store.trials.of_study(store.studies.get("tiny").id), place


@pytest.mark.parametrize(
    ("number", "state", "attempts", "reason"),
    [
        (0, TrialState.INFEASIBLE, 1, "out of memory: CUDA out of memory."),
        (1, TrialState.COMPLETE, 2, "None"),
        (2, TrialState.FAILED, 1, ""),
        (3, TrialState.COMPLETE, 1, "None"),
        (4, TrialState.COMPLETE, 1, "None"),
    ],
)
def test_each_fault_of_a_gpu(
    result: tuple[RunOutcome, list[TrialRecord], Path],
    number: int,
    state: TrialState,
    attempts: int,
    reason: str,
) -> None:
    outcome, trials, _ = result
    assert outcome.exit_code == ExitCode.DONE
    assert (trials[number].state, trials[number].attempts) == (state, attempts)
    assert str(trials[number].reason).startswith(reason)


def test_memory_that_another_process_held_was_said(
    result: tuple[RunOutcome, list[TrialRecord], Path],
) -> None:
    (log,) = result[2].rglob("00001-*.log")
    assert "OutOfMemoryError" in log.read_text()


def test_an_assertion_on_the_device_costs_the_worker_and_not_the_next_trial(
    result: tuple[RunOutcome, list[TrialRecord], Path],
) -> None:
    assert "device-side assert" in str(result[1][2].reason)
    pids = {int(path.stem): path.read_text() for path in result[2].rglob("*.pid")}
    assert pids[2] not in {pids[3], pids[4]}
