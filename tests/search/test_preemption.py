"""What preempts a real search: signals to its process, its group, and all of its processes."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from search.store import TrialState, open_store
from tests.search.test_ray_resume import (
    command,
    epochs_recorded,
    offspring,
    start,
    survivors,
    wait_until,
)

__all__ = ["command"]
pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]


def wait_for_line(driver: "subprocess.Popen[str]", wanted: str) -> None:
    """Read what a driver says until a line comes."""
    assert driver.stderr is not None
    assert f"{wanted}\n" in iter(driver.stderr.readline, "")


def to_the_process(driver: int) -> None:
    os.kill(driver, signal.SIGTERM)


def to_its_group(driver: int) -> None:
    """As `docker stop`, `timeout` and a shell do."""
    os.killpg(driver, signal.SIGTERM)


def to_everyone(driver: int) -> None:
    """As `scancel` does: Ray's servers and the workers hear it too."""
    for pid in [*offspring(driver), driver]:
        os.kill(pid, signal.SIGTERM)


def hang_up(driver: int) -> None:
    """As a terminal does that is closed."""
    os.killpg(driver, signal.SIGHUP)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "preempt",
    [
        to_its_group,
        pytest.param(to_everyone, marks=pytest.mark.slow),
        pytest.param(to_the_process, marks=pytest.mark.slow),
        pytest.param(hang_up, marks=pytest.mark.slow),
    ],
)
def test_a_preempted_search_is_ended_said_and_gone_on_with(
    preempt: Callable[[int], None], tmp_path: Path, command: list[str]
) -> None:
    changes = ["protocol.epochs=2000", "data.limit_train=200", "resources.concurrent_trials=1"]
    driver = start([*command, *(word for each in changes for word in ("--set", each))])
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 2, 90)
        family = offspring(driver.pid)
        preempt(driver.pid)
        _, errors = driver.communicate(timeout=30)
    finally:
        driver.kill()
    assert driver.returncode == 130, errors
    assert "Traceback" not in errors
    last = errors.rstrip().splitlines()[-1]
    name = "SIGHUP" if preempt is hang_up else "SIGTERM"
    assert last.startswith(f"Stopped: interrupted by {name}. To go on: python -m search run ")
    assert errors.count("To go on: ") == 1
    wait_until(lambda: not survivors(family), 30)

    with open_store(str(tmp_path / "tiny.db"), create=False) as store:
        study = store.studies.get("tiny")
        (run,) = store.runs.of_study(study.id)
        trials = store.trials.of_study(study.id)
    assert run.end_reason == f"interrupted by {name}"
    assert {(t.state, t.reason) for t in trials} == {(TrialState.PREEMPTED, run.end_reason)}
    # Whoever trained past its first epoch has a checkpoint of it.
    kept = {path.stem for path in (tmp_path / "checkpoints").rglob("*.safetensors")}
    assert len(kept) >= sum(t.epochs_done > 0 for t in trials)


def started_by(driver: "subprocess.Popen[str]") -> dict[int, str]:
    """What a driver has started as soon as it starts Ray."""
    wait_for_line(driver, "Starting Ray ...")
    wait_until(lambda: bool(offspring(driver.pid)), 30)
    return offspring(driver.pid)


@pytest.mark.thorough
def test_a_search_that_is_preempted_while_ray_starts_leaves_nothing(
    tmp_path: Path, command: list[str]
) -> None:
    driver = start(command)
    try:
        family = started_by(driver)
        os.killpg(driver.pid, signal.SIGTERM)
        _, errors = driver.communicate(timeout=60)
    finally:
        driver.kill()
    assert driver.returncode == 130
    assert len(errors.splitlines()) == 1, errors
    assert errors.startswith("Stopped: interrupted by SIGTERM. To go on: ")
    assert not (tmp_path / "checkpoints").exists()
    wait_until(lambda: not survivors(family), 30)


@pytest.mark.thorough
def test_a_driver_that_is_killed_while_ray_starts_has_its_last_line_too(
    tmp_path: Path, command: list[str]
) -> None:
    """As Ray itself ends its driver when its head dies amid the start."""
    driver = start(command)
    family = started_by(driver)
    os.killpg(driver.pid, signal.SIGKILL)
    _, errors = driver.communicate(timeout=60)
    gone = f"Stopped: the driver was killed: process {driver.pid} is gone. To go on"
    assert errors.splitlines()[-1].startswith(gone)
    wait_until(lambda: not survivors(family), 30)
