"""A driver that stood still until another took its study over, and then comes back."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from search.exit_code import ExitCode
from search.store import TrialState
from tests.search.real_search import RealSearch, last_line
from tests.search.test_ray_resume import epochs_recorded, offspring, read, wait_until
from tests.support.namespaces import PRIVATE_PIDS

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(290)]
EPOCHS = 24
TRIALS = 2


def driver_in(container: int) -> int:
    """The search below `unshare`, by its number out here."""
    found = [pid for pid in offspring(container) if "\0run\0" in read(Path(f"/proc/{pid}/cmdline"))]
    return min(found)


def written(search: RealSearch) -> tuple[Any, ...]:
    return search.trials(), search.events()


def test_a_driver_that_comes_back_too_late_changes_nothing(tmp_path: Path) -> None:
    container = ["unshare", *PRIVATE_PIDS, "--kill-child"]
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a container of its own for a driver needs root and unshare")
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel allows no such container")
    protocol = {"epochs": EPOCHS, "batch_size": 50, "warmup_epochs": 1}
    changes = {"trials": TRIALS, "protocol": protocol}
    search = RealSearch(tmp_path, changes, "tests.search.faults:patient", prefix=container)
    zombie = search.start()
    try:
        wait_until(lambda: epochs_recorded(tmp_path) >= 4, 120)
        stopped = driver_in(zombie.pid)
        os.kill(stopped, signal.SIGSTOP)
        search.prefix = ()
        winner = search.run("--resume")
        assert winner.returncode == ExitCode.DONE, winner.stderr
        assert "which cannot be seen from here" in winner.stderr
        before = written(search)
        os.kill(stopped, signal.SIGCONT)
        _, errors = zombie.communicate(timeout=90)
    finally:
        zombie.kill()
        zombie.communicate()
    assert zombie.returncode == ExitCode.FAILED, errors
    assert "another process has taken the study over" in last_line(errors)
    assert written(search) == before
    assert [(t.state, t.epochs_done) for t in before[0]] == [(TrialState.COMPLETE, EPOCHS)] * TRIALS
    first, second = search.runs()
    assert "no heartbeat from process" in str(first.end_reason)
    assert second.end_reason == "the run ended"
