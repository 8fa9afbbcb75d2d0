"""Trials that go wrong on the real path: Ray's processes, the driver, the store."""

import json
from pathlib import Path

import pytest
import torch

from search.cli.program import run_program
from search.exit_code import ExitCode
from search.runner import RunOutcome, run_study
from search.store import TrialRecord, TrialState, open_store
from space import InputError
from tests.search.small import Silent, config

pytestmark = [pytest.mark.ray, pytest.mark.timeout(180), pytest.mark.thorough]


FAULTS = 16
TRIALS = FAULTS + 2
EPOCHS = {4: 0, 6: 2, 7: 0, 11: 2, 13: 2, 15: 2}
TWICE = (3, 8, 9, 13, 15)
"""Numbers of the trials that were taken up once more: their workers died, or a GPU was taken."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def result(place: Path) -> tuple[RunOutcome, list[TrialRecord]]:
    """A study whose first trials each break in their own way, in one Ray."""
    settings = config(place, trials=TRIALS, trial_time_limit="8s")
    outcome = run_study(
        settings, resume=False, watcher=Silent(), training="tests.search.faults:one_by_one"
    )
    with open_store(settings.store, create=False) as store:
        return outcome, store.trials.of_study(store.studies.get("tiny").id)


@pytest.fixture
def logs(
    result: tuple[RunOutcome, list[TrialRecord]], place: Path, capsys: pytest.CaptureFixture[str]
) -> dict[int, str]:
    """What stands in the files that `show` names, by the numbers of the trials."""
    found = {}
    for trial in result[1]:
        capsys.readouterr()
        store = str(place / "tiny.db")
        assert run_program(["show", trial.architecture_id, "--store", store, "--json"]) == 0
        log = json.loads(capsys.readouterr().out)["trials"][0]["log"]
        if log is not None:
            found[trial.number] = Path(log).read_text()
    return found


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (0, TrialState.FAILED, "train loss is nan in epoch 2, step 17"),
        (1, TrialState.FAILED, "RuntimeError: the flux capacitor is empty"),
        (2, TrialState.INFEASIBLE, "out of memory: "),
        (3, TrialState.FAILED, "the worker process died: it was killed, or crashed"),
        (4, TrialState.FAILED, "KeyError: 'broken before the first epoch'"),
        (5, TrialState.FAILED, "WrongReport: validation_accuracy of epoch 2 must be a number"),
        (6, TrialState.FAILED, "it ended without a finite validation_accuracy in 2 epochs"),
        (7, TrialState.FAILED, "it ended without a finite validation_accuracy and no epoch"),
        (8, TrialState.FAILED, "it hung: no epoch within 8 s (trial_time_limit)"),
        (9, TrialState.FAILED, "the worker process died: Segmentation fault"),
        (10, TrialState.FAILED, "RuntimeError: CUDA error: device-side assert triggered"),
        (11, TrialState.FAILED, "it ended without a finite validation_accuracy in 2 epochs"),
        (12, TrialState.INFEASIBLE, "out of memory: CUDA out of memory. Tried to allocate"),
        (13, TrialState.COMPLETE, None),
        (14, TrialState.FAILED, "SystemExit: 3"),
        (15, TrialState.COMPLETE, None),
    ],
)
def test_each_fault_is_a_state_with_a_reason(
    result: tuple[RunOutcome, list[TrialRecord]], number: int, state: TrialState, reason: str | None
) -> None:
    trial = result[1][number]
    assert trial.state == state
    assert (trial.reason is None) == (reason is None)
    assert str(trial.reason).startswith(str(reason))
    assert trial.reason != "the worker process died: "
    assert trial.epochs_done == EPOCHS.get(number, 1)
    assert trial.attempts > 1 or number not in TWICE


def test_the_study_goes_on_to_its_planned_number(
    result: tuple[RunOutcome, list[TrialRecord]],
) -> None:
    outcome, trials = result
    assert outcome.exit_code == ExitCode.DONE
    assert [t.number for t in trials] == list(range(TRIALS))
    assert {t.state for t in trials[FAULTS:]} == {TrialState.COMPLETE}
    assert {t.epochs_done for t in trials[FAULTS:]} == {2}


def test_the_whole_traceback_is_kept_beside_the_checkpoint_and_named_by_show(
    result: tuple[RunOutcome, list[TrialRecord]], logs: dict[int, str]
) -> None:
    assert "flux capacitor is empty\nand a second line, postgresql://u:***@h/d" in logs[1]
    assert "in run_epoch" in logs[1]
    assert "Worker exit" in logs[3]
    assert "Fatal Python error: Segmentation fault" in logs[9]
    assert "crash_in_native_code" in logs[9]
    assert "KeyError: 'broken before the first epoch'" in logs[4]
    assert not logs.keys() & set(range(FAULTS, TRIALS))
    assert all("\x1b[" not in str(trial.reason) for trial in result[1])


def test_a_worker_with_a_broken_gpu_trains_nothing_more(
    result: tuple[RunOutcome, list[TrialRecord]], place: Path
) -> None:
    begun = sorted(place.rglob("*.pid"), key=lambda path: path.stat().st_mtime_ns)
    numbers = [int(path.stem) for path in begun]
    broken = begun[numbers.index(10)].read_text()
    later = begun[numbers.index(10) + 1 :]
    assert later
    assert broken not in {path.read_text() for path in later}


def test_more_gpus_than_there_are_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = config(tmp_path, resources={"gpus_per_trial": 1, "cpus_per_trial": 500})
    with pytest.raises(InputError) as error:
        run_study(settings, resume=False, watcher=Silent())
    lacking = {"resources.gpus_per_trial"} if not torch.cuda.is_available() else set()
    assert {p.where for p in error.value.problems} == {"resources.cpus_per_trial", *lacking}
    assert "asks for 500 CPU, and the cluster has" in str(error.value)
    assert list(tmp_path.iterdir()) == []
