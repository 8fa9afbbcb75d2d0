"""What of Ray is other than usual while a private one starts, and as it was afterwards."""

import pytest
import ray
from ray._private import node, parameter, utils

from search.ray_executor.connection import connected_to_ray
from search.ray_executor.ray_start import with_few_servers
from space.errors import InputError


def test_a_ray_that_this_process_works_with_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As that of a notebook: its actors and objects would be gone."""
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "shutdown", lambda: pytest.fail("it was shut down"))
    refused = pytest.raises(InputError, match="connected to a Ray already; leave it by")
    with refused, connected_to_ray(None):
        pytest.fail("another was started")


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
