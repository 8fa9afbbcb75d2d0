"""What a cluster can give, without a cluster."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from ray._common.ray_option_utils import actor_options

from search.config import Resources
from search.ray_executor.cluster import Cluster, check_resources
from search.ray_executor.connection import connected_to_ray
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
        (3, 8, {"gpus_per_trial": 1}, 3),
        (16, 8, {"gpus_per_trial": 4}, 2),
        (16, 7, {"gpus_per_trial": 4, "cpus_per_trial": 4}, 1),
        (8, 0, {"cpus_per_trial": 2, "processes_per_trial": 2}, 4),
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


@given(st.floats(0, 2, exclude_min=True))
@example(0.00001)
@example(0.333333333)
def test_ray_takes_every_share_that_a_configuration_may_have(share: float) -> None:
    """So that none is refused only after the run has begun."""
    for name, option in {"cpus_per_trial": "num_cpus", "gpus_per_trial": "num_gpus"}.items():
        try:
            resources = Resources.model_validate({name: share})
        except ValidationError:
            continue
        actor_options[option].validate(option, getattr(resources, name))
