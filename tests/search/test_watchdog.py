"""The watchdog ends exactly what its driver started, and its run, when the driver is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from search.ray_executor.watchdog import watched_folder
from search.ray_executor.watchdog_process import MARK, belonging, end_all
from search.store import TrialState, open_store, process_is_alive, process_started
from tests.search.driving import begin
from tests.search.small import config, values

SLEEP = [sys.executable, "-c", "import time; time.sleep(100)"]
DRIVER = """
import json, os, subprocess, sys, time
from search.ray_executor.watchdog import watched_folder
with watched_folder() as watchdog:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"],
                             start_new_session=True, stderr=subprocess.DEVNULL)
    for line in sys.argv[1:]:
        watchdog.tell(**json.loads(line))
    print(child.pid, watchdog.folder, flush=True)
    time.sleep(100)
"""


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@contextmanager
def driver(*told: dict[str, object]) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A driver that tells its watchdog something; its child, and the folder of its Ray."""
    command = [sys.executable, "-c", DRIVER, *map(json.dumps, told)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        pid, folder = process.stdout.readline().split()
        yield process, int(pid), Path(folder)
    finally:
        end(process)


def watchdogs(folder: Path) -> list[int]:
    """The watchdog of a folder, which is on its command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if str(folder) in words and any(word.endswith("watchdog_process.py") for word in words):
            found.append(int(entry.name))
    return found


def test_a_killed_driver_takes_its_children_and_folder_with_it() -> None:
    bystander = subprocess.Popen(SLEEP, text=True)
    try:
        with driver() as (process, pid, folder):
            started = process_started(pid)
            process.send_signal(signal.SIGKILL)
            assert wait_until(lambda: not process_is_alive(pid, started))
            assert wait_until(lambda: not folder.exists())
            assert bystander.poll() is None
    finally:
        end(bystander)


@pytest.mark.thorough
def test_a_clean_end_removes_the_folder_and_leaves_children_to_ray(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with watched_folder() as watchdog:
        watchdog.tell(exit_message=["never said"])
        assert watchdog.folder.is_dir()
        assert watchdogs(watchdog.folder)
        child = subprocess.Popen(SLEEP, text=True)
    try:
        assert not watchdogs(watchdog.folder)  # it does not hang around
        assert child.poll() is None
        assert not watchdog.folder.exists()
        assert capfd.readouterr().err == ""
    finally:
        end(child)


CUT_SHORT = """
import os, shutil
from search.ray_executor.watchdog import watched_folder
def end_amid(folder, **options):
    print(folder, flush=True)
    os._exit(130)
with watched_folder() as watchdog:
    (watchdog.folder / "logs").mkdir()
    shutil.rmtree = end_amid
"""


@pytest.mark.thorough
def test_a_driver_that_is_ended_while_it_removes_its_folder_leaves_none() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CUT_SHORT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stderr
    folder = Path(done.stdout.strip())
    assert wait_until(lambda: not folder.exists())


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_the_run_of_a_driver_that_is_gone_is_ended_and_its_last_words_are_said(
    number: signal.Signals, tmp_path: Path
) -> None:
    settings = config(tmp_path)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        assignment = session.next_assignment()
        assert assignment is not None
        session.started(assignment.trial.number)
        (run,) = store.runs.of_study(session.record.id)
    named: dict[str, object] = {"store": settings.store, "id": run.id}
    told = {"run": named, "reason": "the driver was killed", "exit_message": ["First", "To go on"]}
    with driver(told) as (process, _, _):
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert errors.splitlines() == ["First", "To go on"]
    with open_store(settings.store, create=False) as store:
        (run,) = store.runs.of_study(session.record.id)
        (trial,) = store.trials.of_study(session.record.id)
    assert run.end_reason == "the driver was killed"
    assert (trial.state, trial.reason) == (TrialState.PREEMPTED, "the driver was killed")


ABORTED = """
import os, sys
import ray
from search.cli.program import run_program
ray.init = lambda **options: os.abort()
sys.exit(run_program(["run", "tiny.yaml"]))
"""


@pytest.mark.thorough
def test_a_driver_that_ray_ends_amid_its_start_says_how_to_go_on(tmp_path: Path) -> None:
    content = values(store=str(tmp_path / "tiny.db"), checkpoints=str(tmp_path / "checkpoints"))
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    done = subprocess.run(
        [sys.executable, "-c", ABORTED],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == -signal.SIGABRT
    last = done.stderr.rstrip().splitlines()[-1]
    assert last.startswith("Stopped: the driver was killed: ")
    assert "To go on: python -m search run tiny.yaml" in last


@pytest.mark.thorough
@pytest.mark.parametrize("said", [False, True])
def test_a_store_that_is_gone_keeps_no_words_back_and_none_are_said_twice(
    said: bool, tmp_path: Path
) -> None:
    named = {"store": f"sqlite:///{tmp_path}/none/at-all.db", "id": 1}
    told: dict[str, object] = {"run": named, "reason": "killed", "exit_message": ["To go on"]}
    with driver(told, {"said": said}) as (process, _, _):
        process.kill()
        _, errors = process.communicate(timeout=60)
    assert errors == ("" if said else "To go on\n")


@pytest.mark.thorough
def test_signals_to_all_that_belongs_to_the_driver_spare_its_watchdog() -> None:
    with driver({"exit_message": ["To go on"]}) as (process, _, folder):
        (watchdog,) = watchdogs(folder)
        parent = Path(f"/proc/{watchdog}/stat").read_text().rpartition(")")[2].split()[1]
        assert int(parent) != process.pid  # `ray job stop` kills all that is below a driver
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(watchdog, number)
        os.killpg(process.pid, signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert errors == "To go on\n"
        assert not folder.exists()


def test_the_password_of_a_store_is_on_no_command_line() -> None:
    named = {"store": "postgresql://user:s3cret@127.0.0.1:1/base", "id": 1}
    with watched_folder() as watchdog:
        watchdog.tell(run=named, reason="killed")
        (pid,) = watchdogs(watchdog.folder)
        for file in ("cmdline", "environ"):
            assert b"s3cret" not in Path(f"/proc/{pid}/{file}").read_bytes()


def test_only_its_own_processes_are_found(tmp_path: Path) -> None:
    folder, other = tmp_path / "ray", tmp_path / "ray2"
    folder.mkdir()
    other.mkdir()
    environment = os.environ | {MARK: "aa11"}
    with (folder / "log").open("w") as log, (other / "log").open("w") as foreign:
        marked = subprocess.Popen(SLEEP, env=environment, text=True)
        holding = subprocess.Popen(SLEEP, stdout=log, text=True)
        neither = subprocess.Popen(SLEEP, stdout=foreign, text=True)
        # This process holds the log open too, and is not one that it would end.
        try:
            own = {marked.pid, holding.pid}
            assert wait_until(lambda: set(belonging("aa11", folder)) == own)
            assert belonging("aa1", tmp_path / "r") == []
            end_all("aa11", folder, seconds=5)
            assert (marked.wait(5), holding.wait(5)) == (-signal.SIGKILL, -signal.SIGKILL)
            assert neither.poll() is None
        finally:
            for process in (marked, holding, neither):
                end(process)
