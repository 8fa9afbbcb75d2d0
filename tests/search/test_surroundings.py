"""Faults of the data and of the surroundings, each on the real path: what was at work stops and
says why, nothing is burnt, and once the fault is mended `--resume` goes on to the end."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.exit_code import ExitCode
from search.store import TrialState
from tests.search.real_search import RealSearch, last_line
from tests.search.test_ray_resume import epochs_recorded, offspring, survivors, wait_until
from tests.support.without_rights import give_away, in_own_mounts, without_rights
from tests.trainers.tiny import image_folder
from trainers import Protocol

pytestmark = [pytest.mark.ray, pytest.mark.timeout(280)]
LONG = {"epochs": 8, "batch_size": 20, "warmup_epochs": 1}
LARGER = {"name": "fashion-mnist", "limit_train": 1000, "limit_validation": 100}
EPOCHS = 60
"""Of images, so many that a file can break amid a trial."""
ONE_AT_A_TIME = {"cpus_per_trial": 1, "concurrent_trials": 1}


def stopped(search: RealSearch, driver: "subprocess.CompletedProcess[str]", why: str) -> None:
    """It failed, said why and how to go on, and no trial has ended by it."""
    assert driver.returncode == ExitCode.FAILED, driver.stderr
    assert "Traceback" not in driver.stderr
    said = last_line(driver.stderr)
    assert why in said
    assert said.startswith("Stopped: trial ")
    assert "To go on: python -m search " in said
    states = {t.state for t in search.trials()}
    assert TrialState.PREEMPTED in states
    assert states <= {TrialState.PREEMPTED, TrialState.COMPLETE}
    assert why in str(search.runs()[-1].end_reason)


def complete(search: RealSearch, trials: int, epochs: int) -> None:
    """Every trial was trained to its end."""
    found = [(t.number, t.state, t.epochs_done) for t in search.trials()]
    assert found == [(number, TrialState.COMPLETE, epochs) for number in range(trials)]


def goes_on(search: RealSearch, trials: int, epochs: int) -> None:
    """The same command with --resume reaches the plan."""
    resumed = search.run("--resume")
    assert resumed.returncode == ExitCode.DONE, resumed.stderr
    complete(search, trials, epochs)


# --- data -----------------------------------------------------------------------------------------


def on_images(folder: Path, workers: int) -> tuple[RealSearch, Path]:
    """A search on a folder of images, and one of these."""
    root = image_folder(folder / "images", train=8, val=1)
    recipe = Protocol.paper_imagenet().to_dict()
    recipe["augmentation"] |= {"image_size": 32}
    short = {"warmup_epochs": 1, "batch_size": 6, "validation_fraction": 0.25}
    recipe["epochs"] = EPOCHS
    space: dict[str, Any] = {
        "name": "coloured",
        "input": {"channels": 3, "size": 32},
        "classes": 3,
        "stem": {"patch_size": 8},
        "block_type": "conv",
        "mixers": [{"operator": "dw-s conv.", "kernel_size": [3, 5]}],
        "stages": [{"depth": [1, 2], "width": [8, 16], "mlp_ratio": 2}],
    }
    changes = {
        "space": space,
        "data": {"name": "image-folder", "folder": str(root), "workers": workers},
        "protocol": recipe | short,
        "trials": 2,
        "resources": ONE_AT_A_TIME,
    }
    return RealSearch(folder, changes), root / "train" / "red" / "002.png"


def overwritten(content: bytes) -> bytes:
    """As a bad sector leaves a file: of the same length."""
    return content[:60] + bytes(len(content) - 60)


def cut_off(content: bytes) -> bytes:
    """As a broken copy leaves it."""
    return content[:60]


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "broken"), [(1, cut_off), (0, overwritten)])
def test_a_broken_image(tmp_path: Path, workers: int, broken: Callable[[bytes], bytes]) -> None:
    """It was whole when the run looked at all of them; the workers meet it later."""
    search, image = on_images(tmp_path, workers)
    whole = image.read_bytes()
    driver = search.start()
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 1, 120)
    finally:
        image.write_bytes(broken(whole))
        output, errors = driver.communicate()
    ended = subprocess.CompletedProcess(driver.args, driver.returncode, output, errors)
    stopped(search, ended, f"{image} is not a readable image")
    image.write_bytes(whole)
    goes_on(search, 2, EPOCHS)


# --- disks ----------------------------------------------------------------------------------------

FULL_DISK = """
cd "$1"; shift
mount -t tmpfs -o size=1m tmpfs checkpoints
free() { df --output=avail -k checkpoints | tail -1; }
head -c "$(( ($(free) - 16) * 1024 ))" /dev/zero >checkpoints/others
"$@" >out 2>err && code=0 || code=$?; echo "$code"
rm checkpoints/others; mount -o remount,size=100m checkpoints
"$@" --resume >out2 2>err2 && code=0 || code=$?; echo "$code"
find checkpoints -name '*.safetensors' | wc -l
"""


@pytest.mark.slow
def test_a_full_disk(tmp_path: Path) -> None:
    search = RealSearch(tmp_path, {"trials": 3, "resources": ONE_AT_A_TIME})
    search.checkpoints.mkdir()
    driver = in_own_mounts(FULL_DISK, str(tmp_path), *search.command())
    codes, _ = driver.communicate()
    errors = (tmp_path / "err").read_text()
    assert codes.split() == ["1", "0", "3"], errors + (tmp_path / "err2").read_text()
    assert "Traceback" not in errors
    assert "No space left on device" in last_line(errors)
    assert "make space there" in last_line(errors)
    assert "To go on: python -m search " in last_line(errors)
    complete(search, 3, 2)
    assert "failed" not in {kind for _, kind, _ in search.events()}


@pytest.mark.slow
def test_a_folder_that_may_not_be_written_any_more(tmp_path: Path) -> None:
    changes = {"trials": 2, "protocol": LONG, "data": LARGER, "resources": ONE_AT_A_TIME}
    search = RealSearch(tmp_path, changes, prefix=without_rights())
    driver = search.start()
    try:
        wait_until(lambda: bool(search.files("*.safetensors")), 120)
        folder = search.files("*.safetensors")[0].parent
        mode = folder.stat()
        give_away(folder)
        output, errors = driver.communicate()
    finally:
        driver.kill()
    ended = subprocess.CompletedProcess(driver.args, driver.returncode, output, errors)
    stopped(search, ended, "Permission denied")
    assert "give this user permission there" in errors
    os.chown(folder, mode.st_uid, mode.st_gid)
    folder.chmod(mode.st_mode)
    goes_on(search, 2, LONG["epochs"])
    assert not [event for event in search.events() if event[1] == "forgotten"]


# --- packages -------------------------------------------------------------------------------------


BLIND = """
import sys
if any("default_worker" in word for word in sys.orig_argv):
    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name == "safetensors":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.meta_path.insert(0, Missing())
"""


@pytest.mark.slow
def test_a_package_that_the_workers_lack(tmp_path: Path) -> None:
    """As on a node that was set up otherwise than that of the driver."""
    search = RealSearch(tmp_path, {"trials": 2, "resources": ONE_AT_A_TIME})
    (tmp_path / "sitecustomize.py").write_text(BLIND)
    paths = os.pathsep.join([str(tmp_path), search.environment()["PYTHONPATH"]])
    driver = search.run(PYTHONPATH=paths)
    stopped(search, driver, "No module named 'safetensors'")
    assert "install the same packages on every node" in driver.stderr
    goes_on(search, 2, 2)


@pytest.mark.slow
def test_a_package_that_a_training_of_the_user_needs(tmp_path: Path) -> None:
    training = "tests.search.faults:with_a_package"
    search = RealSearch(tmp_path, {"trials": 2, "resources": ONE_AT_A_TIME}, training)
    stopped(search, search.run(), "No module named 'a_package_of_a_user'")
    assert "install the same packages on every node" in str(search.runs()[0].end_reason)
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "a_package_of_a_user.py").touch()
    paths = os.pathsep.join([search.environment()["PYTHONPATH"], str(tmp_path / "installed")])
    resumed = search.run("--resume", PYTHONPATH=paths)
    assert resumed.returncode == ExitCode.DONE, resumed.stderr
    complete(search, 2, 2)


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_memory_of_a_gpu_that_others_keep(tmp_path: Path) -> None:
    """The GPU is a stand-in; see test_gpu_faults.py for a real one."""
    training = "tests.search.faults:on_a_taken_gpu"
    search = RealSearch(tmp_path, {"trials": 2, "resources": ONE_AT_A_TIME}, training)
    (tmp_path / "taken").touch()
    driver = search.run()
    stopped(search, driver, "other processes hold 50% of the GPU")
    assert "end the processes that `nvidia-smi` lists" in driver.stderr
    (tmp_path / "taken").unlink()
    goes_on(search, 2, 2)
    assert search.trials()[0].attempts == 3


@pytest.mark.slow
def test_a_machine_without_memory(tmp_path: Path) -> None:
    """Ray itself ends the workers; where the machine has memory enough, the trials go on."""
    changes = {"trials": 1, "resources": ONE_AT_A_TIME, "protocol": LONG, "data": LARGER}
    search = RealSearch(tmp_path, changes)
    low = {"RAY_memory_usage_threshold": "0.0001", "RAY_memory_monitor_refresh_ms": "100"}
    driver = search.run(**low)
    assert driver.returncode == ExitCode.FAILED, driver.stderr  # not one trial has a result
    assert "every trial failed: out of memory" in last_line(driver.stderr)
    (trial,) = search.trials()
    assert trial.state == TrialState.INFEASIBLE
    assert trial.reason == "out of memory: Ray ended the worker to save the machine"
    (log,) = search.files("*.log")
    assert log.read_text().count("the worker died") == 2
    again = search.run("continue", "tiny", "--trial", "0", "--store", search.store)
    assert again.returncode == ExitCode.DONE, again.stderr
    complete(search, 1, LONG["epochs"])


# --- everything fails -----------------------------------------------------------------------------


@pytest.mark.slow
def test_everything_fails_alike_and_is_trained_again_on_request(tmp_path: Path) -> None:
    training = "tests.search.faults:broken_by_a_file"
    search = RealSearch(tmp_path, {"trials": 8, "stop_after_same_failures": 3}, training)
    (tmp_path / "broken").touch()
    driver = search.run()
    assert driver.returncode == ExitCode.FAILED
    said = last_line(driver.stderr)
    assert said.startswith("Stopped: the first 3 trials of this run failed alike: KeyError: 'x'")
    assert "; once it is mended, `continue tiny --failed` trains them again. To go on: " in said
    begun = search.trials()
    failed = [t.number for t in begun if t.state == TrialState.FAILED]
    assert len(failed) >= 3
    assert {t.state for t in begun} <= {TrialState.FAILED, TrialState.PREEMPTED}
    assert len(begun) < 8
    (tmp_path / "broken").unlink()
    again = search.run("continue", "tiny", "--failed", "--store", search.store)
    assert again.returncode == ExitCode.DONE, again.stderr
    complete(search, 8, 2)
    assert {t.attempts for t in search.trials() if t.number in failed} == {2}


# --- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_truncated_checkpoint(tmp_path: Path) -> None:
    changes = {"trials": 1, "protocol": LONG, "data": LARGER, "resources": ONE_AT_A_TIME}
    search = RealSearch(tmp_path, changes)
    driver = search.start()
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 3, 120)
        family = offspring(driver.pid)
    finally:
        driver.kill()
        driver.communicate()
    wait_until(lambda: not survivors(family), 60)
    (file,) = search.files("*.safetensors")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    goes_on(search, 1, LONG["epochs"])
    assert [event[2] for event in search.events() if event[1] == "forgotten"] == [0]
    (refused,) = search.files("*.refused")
    assert len(refused.read_bytes()) == len(whole) // 2
