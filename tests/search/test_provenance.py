"""What a run notes of its machine, for people who read its numbers later."""

import json
import os
import platform

from search.driver.provenance import describe_machine


def test_the_cluster_is_described_by_what_ray_offers() -> None:
    offered = {"CPU": 12.0, "GPU": 3.0, "memory": 1e9, "accelerator_type:H200": 2.0}
    nodes = {"accelerator_type:A100": 1.0, "node:10.0.0.1": 1.0, "node:10.0.0.2": 1.0}
    machine = describe_machine(offered | nodes | {"node:__internal_head__": 1.0})
    assert machine["cluster"] == {
        "cpus": 12.0,
        "gpus": 3.0,
        "accelerators": ["A100", "H200"],
        "nodes": 2,
    }
    assert describe_machine({})["cluster"] == {"cpus": 0, "gpus": 0, "accelerators": [], "nodes": 0}


def test_the_machine_is_described_in_plain_values() -> None:
    machine = json.loads(json.dumps(describe_machine({})))
    assert machine["host"] == platform.node()
    assert machine["cores"] == os.cpu_count()
    assert machine["memory_bytes"] > 2**28
    assert machine["python"] == platform.python_version()
    assert machine["processor"]
    assert {"torch", "ray", "optuna"} <= set(machine["packages"])
    assert all(machine["packages"].values())
