"""The watchdog ends exactly what its driver started, when the driver is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from search.runner.watchdog import MARK, belonging, end_all, watched_folder
from search.store import process_is_alive, process_started

SLEEP = [sys.executable, "-c", "import time; time.sleep(100)"]
DRIVER = """
import os, subprocess, sys, time
from search.runner.watchdog import watched_folder
with watched_folder() as folder:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"],
                             start_new_session=True)
    print(child.pid, folder, flush=True)
    time.sleep(100)
"""


def wait_until(condition: object, seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_killed_driver_takes_its_children_and_folder_with_it() -> None:
    bystander = subprocess.Popen(SLEEP, text=True)
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True)
    try:
        assert driver.stdout is not None
        pid, folder = driver.stdout.readline().split()
        started = process_started(int(pid))
        driver.send_signal(signal.SIGKILL)
        assert wait_until(lambda: not process_is_alive(int(pid), started))
        assert wait_until(lambda: not Path(folder).exists())
        assert bystander.poll() is None
    finally:
        end(bystander)
        end(driver)


def test_a_clean_end_removes_the_folder_and_leaves_children_to_ray() -> None:
    with watched_folder() as folder:
        assert folder.is_dir()
        child = subprocess.Popen(SLEEP, text=True)
    try:
        time.sleep(0.5)
        assert child.poll() is None
        assert not folder.exists()
    finally:
        end(child)


def test_only_its_own_processes_are_found(tmp_path: Path) -> None:
    folder, other = tmp_path / "ray", tmp_path / "ray2"
    folder.mkdir()
    other.mkdir()
    environment = os.environ | {MARK: "aa11"}
    with (folder / "log").open("w") as log, (other / "log").open("w") as foreign:
        marked = subprocess.Popen(SLEEP, env=environment, text=True)
        holding = subprocess.Popen(SLEEP, stdout=log, text=True)
        neither = subprocess.Popen(SLEEP, stdout=foreign, text=True)
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
