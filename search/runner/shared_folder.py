"""Whether every node of a cluster sees the folder of the checkpoints."""

import contextlib
import uuid
from pathlib import Path
from typing import Any

_SECONDS = 60.0


def nodes_that_do_not_see(folder: Path) -> list[str]:
    """The addresses of the nodes on which a file that is written here is not there.

    Nodes that do not answer within a minute are left out: they may be starting.

    Args:
        folder: exists on this machine, by its full path.
    """
    import ray

    nodes: list[dict[str, Any]] = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    if len(nodes) < 2:
        return []
    mark = folder / f".seen-by-{uuid.uuid4().hex}"
    mark.touch()
    try:
        answers = [_ask(node["NodeID"], mark) for node in nodes]
        ray.wait(answers, num_returns=len(answers), timeout=_SECONDS)
        return [
            node["NodeManagerAddress"]
            for node, answer in zip(nodes, answers, strict=True)
            if not _seen(answer)
        ]
    finally:
        mark.unlink(missing_ok=True)


def warning_of(folder: Path, nodes: list[str]) -> str:
    """What a person is told of them."""
    return (
        f"warning: {', '.join(nodes)} of the cluster cannot see {folder}: a trial that moves there "
        "begins again from its first epoch; give a folder that every node sees by "
        "--set checkpoints=FOLDER"
    )


def _ask(node_id: str, mark: Path) -> Any:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)
    task = ray.remote(_exists).options(num_cpus=0, scheduling_strategy=there, max_retries=0)
    return task.remote(str(mark))


def _seen(answer: Any) -> bool:
    import ray

    with contextlib.suppress(ray.exceptions.RayError):
        return bool(ray.get(answer, timeout=0))
    return True


def _exists(path: str) -> bool:
    return Path(path).exists()
