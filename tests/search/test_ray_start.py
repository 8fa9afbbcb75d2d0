"""What of Ray is other than usual while a private one starts, and as it was afterwards."""

import pytest
from ray._private import parameter

from search.ray_executor.ray_start import with_an_agent_on_any_port


def test_the_agent_of_a_private_ray_waits_for_no_port_that_another_has() -> None:
    usual = parameter.RayParams
    assert usual().dashboard_agent_listen_port
    with with_an_agent_on_any_port():
        assert parameter.RayParams(num_cpus=2).dashboard_agent_listen_port == 0
        assert parameter.RayParams(num_cpus=2).num_cpus == 2
    assert parameter.RayParams is usual


def test_a_ray_without_the_class_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(parameter, "RayParams")
    with with_an_agent_on_any_port():
        assert not hasattr(parameter, "RayParams")
