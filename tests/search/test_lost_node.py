"""A cluster that loses a node, and with it the checkpoints that lay there; of real Ray nodes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from search.exit_code import ExitCode
from search.store import TrialState
from tests.search.real_search import RealSearch
from tests.search.test_ray_resume import epochs_recorded, offspring, program_of, wait_until
from tests.search.test_shared_folder import Nodes, nodes

__all__ = ["nodes"]
pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(290)]
EPOCHS = 12
WAIT_FOR_BOTH = """
import logging, sys, time, ray
ray.init(sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)
while ray.cluster_resources().get("CPU") != 2:
    time.sleep(0.2)
"""


def test_a_node_that_is_lost_with_its_checkpoints(nodes: Nodes, tmp_path: Path) -> None:
    changes = {
        "checkpoints": str(tmp_path / "own"),
        "trials": 2,
        "protocol": {"epochs": EPOCHS, "batch_size": 20, "warmup_epochs": 1},
        "data": {"name": "fashion-mnist", "limit_train": 1000, "limit_validation": 100},
        "resources": {"cpus_per_trial": 1, "concurrent_trials": 2},
    }
    search = RealSearch(tmp_path, changes)
    here = {"RAY_ADDRESS": nodes.address, "RAY_AUTH_MODE": "disabled"}
    wait = [sys.executable, "-c", WAIT_FOR_BOTH, nodes.address]
    subprocess.run(wait, env=search.environment(**here), check=True)
    driver = search.start(**here)
    try:
        # One trial on each of the nodes, and both with a checkpoint.
        wait_until(lambda: epochs_recorded(tmp_path) >= 5 or driver.poll() is not None, 150)
        assert driver.poll() is None, driver.communicate()
        wait_until(lambda: min(t.epochs_done for t in search.trials()) >= 2, 60)
        (raylet,) = [pid for pid in offspring(nodes.second.pid) if program_of(pid) == "raylet"]
        os.kill(raylet, signal.SIGKILL)
        _, errors = driver.communicate()
    finally:
        driver.kill()
        driver.communicate()
    assert driver.returncode == ExitCode.DONE, errors
    assert "cannot see" in errors
    trials = search.trials()
    assert [(t.state, t.epochs_done) for t in trials] == [(TrialState.COMPLETE, EPOCHS)] * 2
    (lost,) = [t for t in trials if t.attempts == 2]
    assert f"Trial {lost.number}: its checkpoint" in errors
    assert "trained again" in errors
