"""What of Ray is other than usual while a private one starts, and as it was afterwards."""

import os
from pathlib import Path

import pytest
from ray._private import node, parameter, utils

from search.ray_executor.connection import connected_to_ray
from search.ray_executor.ray_start import with_few_servers
from search.ray_executor.watchdog_process import belonging

SERVERS = {"gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"}
WORKERS = {"ray::IDLE", "default_worker.py"}


def program(pid: int) -> str:
    """What a process calls itself, or the script that an interpreter runs."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    scripts = (word for word in words[1:] if word.endswith(".py"))
    name = next(scripts, words[0]) if "python" in Path(words[0]).name else words[0]
    return name if name.startswith("ray::") else Path(name).name


@pytest.mark.ray
@pytest.mark.timeout(240)
def test_a_private_ray_has_the_servers_that_a_trial_needs_and_no_more() -> None:
    with connected_to_ray(None) as cluster:
        assert cluster.watchdog is not None
        folder = cluster.watchdog.folder
        running = {program(pid) for pid in belonging(cluster.watchdog.mark, folder)}
    running -= WORKERS | {program(os.getpid()), "watchdog_process.py"}
    assert {"gcs_server", "raylet"} <= running
    assert not {"dashboard.py", "monitor.py", "log_monitor.py"} & running
    assert len(running) <= len(SERVERS), running


def test_the_agent_of_a_private_ray_waits_for_no_port_that_another_has() -> None:
    usual = parameter.RayParams
    assert usual().dashboard_agent_listen_port
    with with_few_servers():
        assert parameter.RayParams(num_cpus=2).dashboard_agent_listen_port == 0
        assert parameter.RayParams(num_cpus=2).num_cpus == 2
    assert parameter.RayParams is usual


def test_a_ray_that_looks_otherwise_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(parameter, "RayParams")
    monkeypatch.delattr(node, "Node")
    monkeypatch.delattr(utils, "get_dashboard_dependency_error")
    with with_few_servers():
        assert not hasattr(parameter, "RayParams")
        assert not hasattr(node, "Node")
        assert not hasattr(utils, "get_dashboard_dependency_error")
