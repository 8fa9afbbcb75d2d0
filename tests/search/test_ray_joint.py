"""Trials that two processes train together: one that is killed ends the others, not the trial."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from search.store import TrialState
from tests.search.real_search import RealSearch
from tests.search.test_ray_resume import epochs_recorded, offspring, read, survivors, wait_until
from trainers.checkpoint import load_checkpoint

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(600)]
TOGETHER: dict[str, Any] = {
    "trials": 1,
    "protocol": {"epochs": 60, "batch_size": 20, "warmup_epochs": 1},
    "data": {"name": "fashion-mnist", "limit_train": 200, "limit_validation": 100},
    "resources": {"cpus_per_trial": 2, "processes_per_trial": 2},
}


def ranks(driver: int) -> list[int]:
    """The processes that train, below a driver, in the order in which they began."""
    family = offspring(driver)
    return sorted(
        pid for pid in family if read(Path(f"/proc/{pid}/cmdline")).startswith("ray::Rank")
    )


def weights(search: RealSearch) -> dict[str, Any]:
    (file,) = search.files("*.safetensors")
    return dict(load_checkpoint(file).tensors)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_costs_the_epoch_under_way(rank: int, tmp_path: Path) -> None:
    search = RealSearch(tmp_path, TOGETHER)
    with search.start() as driver:
        wait_until(lambda: bool(search.files("*.safetensors")), 240)
        family = offspring(driver.pid)
        os.kill(ranks(driver.pid)[rank], signal.SIGKILL)
        _, errors = driver.communicate()
    assert driver.returncode == 0, errors
    (trial,) = search.trials()
    assert (trial.state, trial.epochs_done) == (TrialState.COMPLETE, 60)
    assert trial.attempts == 2
    wait_until(lambda: not survivors(family), 30)
    (log,) = search.files("*.log*")
    assert "died" in log.read_text()


def test_broken_off_and_gone_on_with_it_is_what_it_would_have_been(tmp_path: Path) -> None:
    """To the last bit, whether a process was killed, or the worker that looks after them."""
    whole = RealSearch(_made(tmp_path / "whole"), TOGETHER)
    assert whole.run().returncode == 0
    broken = RealSearch(_made(tmp_path / "broken"), TOGETHER | {"retries": 3})
    with broken.start() as driver:
        for epochs, name in ((2, "ray::ResourceTrainable"), (4, "ray::Rank")):
            wait_until(lambda epochs=epochs: epochs_recorded(broken.folder) >= epochs, 240)
            found = {pid: read(Path(f"/proc/{pid}/cmdline")) for pid in offspring(driver.pid)}
            before = {pid for pid, line in found.items() if line.startswith("ray::Rank")}
            os.kill(next(p for p, line in found.items() if line.startswith(name)), signal.SIGKILL)
            wait_until(lambda before=before: not before & set(ranks(driver.pid)), 60)
        assert driver.wait() == 0
    expected, found_weights = weights(whole), weights(broken)
    assert expected.keys() == found_weights.keys()
    assert all(expected[name].equal(found_weights[name]) for name in expected)
    (trial,) = broken.trials()
    assert trial.attempts == 3


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_stop_ends_all_processes_and_the_trial_goes_on_later(tmp_path: Path) -> None:
    changes = TOGETHER | {"protocol": TOGETHER["protocol"] | {"epochs": 2000}}
    search = RealSearch(tmp_path, changes)
    with search.start() as driver:
        wait_until(lambda: bool(search.files("*.safetensors")), 240)
        family = offspring(driver.pid)
        driver.send_signal(signal.SIGINT)
        driver.communicate(timeout=60)
    assert driver.returncode == 130
    wait_until(lambda: not survivors(family), 30)
    (trial,) = search.trials()
    assert (trial.state, trial.reason) == (TrialState.PREEMPTED, "interrupted by SIGINT")


def test_a_failure_of_one_process_is_that_of_the_trial(tmp_path: Path) -> None:
    """The next trial has processes of its own."""
    search = RealSearch(tmp_path, TOGETHER | {"trials": 2}, "tests.search.faults:on_one_rank")
    assert search.run().returncode == 0
    first, second = search.trials()
    assert first.state == TrialState.FAILED
    assert str(first.reason).startswith("KeyError: 'only here'")
    assert "only here" in search.files("*.log")[0].read_text()
    assert (second.state, second.attempts) == (TrialState.COMPLETE, 1)
