"""A Ray that this process is connected to, and what it has to give."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.config import Resources
from search.ray_executor.ray_servers import Watched
from search.ray_executor.watchdog import Watchdog
from space.errors import Problem, refuse


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray that this process is connected to.

    Attributes:
        resources: `ray.cluster_resources()` at the start.
        folder: where Ray Tune may put its own files; they may vanish.
        local: whether it was started for this run alone.
        servers: what every trial needs.
        watchdog: outlives this process.
    """

    resources: dict[str, float]
    folder: Path
    local: bool
    servers: tuple[Watched, ...] = ()
    watchdog: Watchdog | None = None

    @property
    def worker_logs(self) -> Path | None:
        """Where this machine's Ray keeps what its workers print; None on a cluster."""
        return self.folder.parent / "session_latest" / "logs" if self.local else None

    def fitting_trials(self, resources: Resources) -> int:
        """How many trials fit at the same time; at least 1."""
        fits = self.resources.get("CPU", 0.0) / resources.cpus_per_trial
        if resources.gpus_per_trial:
            fits = min(fits, _gpu_places(self.resources.get("GPU", 0.0), resources.gpus_per_trial))
        # Sums of fractions such as 3 · 0.1 fall a hair short of the whole.
        return max(1, math.floor(fits + 1e-6))


def _gpu_places(gpus: float, share: float) -> float:
    """A share of a GPU lies on one GPU, so 0.4 fits twice on each."""
    return gpus / share if share > 1 else gpus * math.floor(1 / share + 1e-6)


INIT_OPTIONS: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
"""Options of `ray.init` for any Ray."""


def first_line(error: Exception) -> str:
    """What Ray says of an error, which may be a whole page, on one line."""
    said = str(error.__cause__ or error).strip() or type(error).__name__
    return " ".join(said.split())[:300]


def check_resources(resources: Resources, cluster: dict[str, float]) -> None:
    """Refuse what the cluster can never give.

    Args:
        resources: what one trial asks for.
        cluster: what the cluster has.

    Raises:
        InputError: naming each resource of which there is not enough.
    """
    if resources.autoscaling:
        return
    asked = {
        "cpus_per_trial": ("CPU", resources.cpus_per_trial),
        "gpus_per_trial": ("GPU", resources.gpus_per_trial),
    }
    problems = [
        Problem(
            f"resources.{name}",
            f"a trial asks for {amount:g} {kind}, and the cluster has {cluster.get(kind, 0):g}; "
            "if it adds nodes on demand, set resources.autoscaling=true",
        )
        for name, (kind, amount) in asked.items()
        if amount > cluster.get(kind, 0.0)
    ]
    refuse(problems)
