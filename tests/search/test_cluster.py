"""What a cluster can give, without a cluster."""

from pathlib import Path

import pytest

from search.config import Resources
from search.runner.cluster import Cluster, check_resources, connected_to_ray
from search.runner.ray_adapters import death
from search.store import TrialState
from space import InputError


def fitting(cpus: float, gpus: float, **resources: float) -> int:
    cluster = Cluster({"CPU": cpus, "GPU": gpus}, Path(), local=True)
    return cluster.fitting_trials(Resources(**resources))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cpus", "gpus", "resources", "trials"),
    [
        (2, 0, {}, 2),
        (8, 0, {"cpus_per_trial": 3}, 2),
        (16, 2, {"cpus_per_trial": 1, "gpus_per_trial": 0.25}, 8),
        (16, 2, {"gpus_per_trial": 0.4}, 4),
        (16, 1, {"gpus_per_trial": 0.1}, 10),
        (3, 8, {"gpus_per_trial": 2}, 3),
        (0.5, 0, {}, 1),
    ],
)
def test_how_many_fit(cpus: float, gpus: float, resources: dict[str, float], trials: int) -> None:
    assert fitting(cpus, gpus, **resources) == trials


def test_too_much_is_refused_for_each_kind() -> None:
    with pytest.raises(InputError) as error:
        check_resources(Resources(cpus_per_trial=4, gpus_per_trial=1), {"CPU": 2})
    assert [p.where for p in error.value.problems] == [
        "resources.cpus_per_trial",
        "resources.gpus_per_trial",
    ]
    check_resources(Resources(gpus_per_trial=1, autoscaling=True), {"CPU": 2})
    check_resources(Resources(), {"CPU": 1})


@pytest.mark.parametrize(
    ("address", "message"),
    [("127.0.0.1:1", "no Ray answers at 127.0.0.1:1"), ("ray://head:10001", "ray job submit")],
)
def test_addresses_that_cannot_be_used(address: str, message: str) -> None:
    with pytest.raises(InputError, match=message), connected_to_ray(address):
        pass


def test_ray_says_why_a_worker_died() -> None:
    killed = (
        "Failure # 1 (occurred at 2026-11-22_16-35-48)\n"
        "The actor died unexpectedly before finishing this task.\n\tclass_name: X\n"
        "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR "
        "Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of "
        "file. There are some potential root causes. (1) The process is killed by SIGKILL by OOM "
        "killer due to high memory usage."
    )
    state, reason = death(killed)
    assert state == TrialState.FAILED
    assert reason == (
        "the worker process died: Worker unexpectedly exits with a connection error code 2"
    )
    memory = (
        "ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory"
    )
    assert death(memory)[0] == TrialState.INFEASIBLE
    assert death("")[1].startswith("the worker process died: ")
