"""Drivers that are killed or interrupted, as a person would: real processes, real trainings."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from search.cli.program import run_program
from search.ray_executor.watchdog_process import MARK
from search.store import TrialState, open_store
from tests.search.small import values

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240), pytest.mark.thorough]
TRIALS = 4


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """A study of four short real trainings, two at a time."""
    content = values(
        store=str(tmp_path / "tiny.db"),
        checkpoints=str(tmp_path / "checkpoints"),
        trials=TRIALS,
        protocol={"epochs": 6, "batch_size": 20, "warmup_epochs": 1},
        data={"name": "fashion-mnist", "limit_train": 400, "limit_validation": 100},
    )
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(content))
    return [sys.executable, "-m", "search", "run", str(path)]


def start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def epochs_recorded(folder: Path) -> int:
    try:
        with sqlite3.connect(f"file:{folder / 'tiny.db'}?mode=ro", uri=True) as connection:
            return int(connection.execute("select count(*) from metrics").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def offspring(driver: int) -> dict[int, str]:
    """Every process below the driver, with its start time, and the mark of its Ray."""
    found: dict[int, str] = {}
    parents = {driver}
    while parents:
        below = {
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if (stat := read(entry / "stat")) and int(stat.rpartition(")")[2].split()[1]) in parents
        }
        parents = below - found.keys()
        found |= {pid: started(pid) for pid in parents}
    return found


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def started(pid: int) -> str:
    """Start time of a live process, empty where there is none."""
    fields = read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else ""


def survivors(family: dict[int, str]) -> list[str]:
    return [
        read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
        for pid, when in family.items()
        if when and started(pid) == when
    ]


def test_killed_half_way_then_resumed(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    driver = start(command)
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 4, 90)
        family = offspring(driver.pid)
        assert len(family) > 5
    finally:
        driver.send_signal(signal.SIGKILL)
        _, errors = driver.communicate()
    wait_until(lambda: not survivors(family), 30)
    gone = f"the driver was killed: process {driver.pid} is gone"
    assert errors.splitlines()[-1].startswith(f"Stopped: {gone}. To go on: python -m search run ")

    assert run_program(command[3:]) == 2
    refused = capsys.readouterr().err
    assert "--resume" in refused
    assert "Traceback" not in refused

    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    with open_store(str(tmp_path / "tiny.db"), create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny").id)
        assert [t.number for t in trials] == list(range(TRIALS))
        assert {t.state for t in trials} == {TrialState.COMPLETE}
        assert {t.epochs_done for t in trials} == {6}
        assert len({t.architecture_id for t in trials}) == TRIALS
        assert any(t.attempts == 2 for t in trials)
        runs = store.runs.of_study(store.studies.get("tiny").id)
        assert [run.ended is not None for run in runs] == [True, True]
        assert runs[0].end_reason == gone

    assert run_program([*command[3:], "--resume"]) == 0
    out, err = capsys.readouterr()
    assert "4 of 4 trials done (4 complete). There was nothing left to do." in out
    assert "Starting Ray" not in err


def program_of(pid: int) -> str:
    return Path(read(Path(f"/proc/{pid}/cmdline")).split("\0")[0]).name


@pytest.mark.parametrize("programs", [{"gcs_server", "raylet"}, {"raylet"}])
@pytest.mark.slow
def test_a_killed_ray_ends_its_driver_which_says_how_to_go_on(
    programs: set[str], tmp_path: Path, command: list[str]
) -> None:
    driver = start(command)
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 2, 90)
        family = offspring(driver.pid)
        servers = [pid for pid in family if program_of(pid) in programs]
        assert len(servers) == len(programs)
        for pid in servers:
            os.kill(pid, signal.SIGKILL)
        _, errors = driver.communicate(timeout=50)  # Ray itself ends a driver after 60 s
    finally:
        driver.kill()
    assert driver.returncode == 1
    advice = errors.rstrip().splitlines()[-1]
    assert "was killed" in advice
    assert "--resume" in advice
    wait_until(lambda: not survivors(family), 30)

    resumed = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert resumed.returncode == 0, resumed.stderr
    with open_store(str(tmp_path / "tiny.db"), create=False) as store:
        study = store.studies.get("tiny")
        trials, runs = store.trials.of_study(study.id), store.runs.of_study(study.id)
    assert "was killed" in str(runs[0].end_reason)
    assert {(t.state, t.epochs_done) for t in trials} == {(TrialState.COMPLETE, 6)}
    assert len({t.architecture_id for t in trials}) == len(trials) == TRIALS
    assert any(t.attempts > 1 for t in trials)


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_a_second_driver_is_refused(
    tmp_path: Path, command: list[str]
) -> None:
    command += ["--set", "protocol.epochs=2000"]  # nothing ends before it is interrupted
    driver = start(command)
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 1, 90)
        second = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
        assert second.returncode == 2
        assert f"process {driver.pid} on" in second.stderr
        family = offspring(driver.pid)
        driver.send_signal(signal.SIGINT)
        output, errors = driver.communicate(timeout=60)
    finally:
        driver.kill()
    assert driver.returncode == 130
    assert "Traceback" not in errors
    advice = errors.rstrip().splitlines()[-1]
    assert "--resume" in advice
    assert "--set protocol.epochs=2000" in advice
    assert "Stopped early: interrupted by SIGINT." in output
    wait_until(lambda: not survivors(family), 30)
    with open_store(str(tmp_path / "tiny.db"), create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny").id)
        open_trials = [t for t in trials if not t.state.is_terminal]
        assert open_trials
        assert {(t.state, t.reason) for t in open_trials} == {
            (TrialState.PREEMPTED, "interrupted by SIGINT")
        }


def test_a_time_limit_is_exit_code_3(tmp_path: Path, command: list[str]) -> None:
    limited = subprocess.run(
        [*command, "--set", "time_limit=1s", "--set", "resources.concurrent_trials=1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert limited.returncode == 3, limited.stderr
    assert "the time limit of 1 s was reached" in limited.stderr
    assert MARK not in os.environ
