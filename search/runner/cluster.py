"""Ray: a private local one, or the cluster that RAY_ADDRESS names. Nobody else's is touched."""

import logging
import math
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.config import Resources
from search.runner.ray_servers import Server, servers_of
from search.runner.ray_start import keeping_our_signal_handlers, sheltering_servers
from search.runner.watchdog import MARK, end_all, watched_folder
from search.runner.worker_path import refuse_foreign_search
from space.errors import InputError, Problem

_ADDRESS = "RAY_ADDRESS"
_PROBE_SECONDS = 10.0
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one cannot be silenced
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths mean the same to workers as to the driver
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the store keeps the results, not CSV files
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the runner has its own
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # they go to the store as the trial's reason
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # the store is the truth, not Ray's files
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a trial without a GPU keeps the environment as is
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Ray that this process is connected to.

    Attributes:
        resources: `ray.cluster_resources()` at the start.
        folder: where Ray Tune may put its own files; they may vanish.
        local: whether it was started for this run alone.
        servers: what every trial needs of a private one.
    """

    resources: dict[str, float]
    folder: Path
    local: bool
    servers: tuple[Server, ...] = ()

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
    return gpus * math.floor(1 / share + 1e-6) if share < 1 else gpus / share


@contextmanager
def connected_to_ray(address: str | None) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start a private one when it is None.

    Raises:
        InputError: the cluster does not answer, or its workers would find another program.
    """
    refuse_foreign_search(Path.cwd())
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    logging.getLogger("ray").setLevel(logging.ERROR)
    context = _private() if address is None else _existing(address)
    with context as cluster:
        yield cluster


@contextmanager
def _private() -> Iterator[Cluster]:
    import ray

    with watched_folder() as folder:
        try:
            with keeping_our_signal_handlers(), sheltering_servers():
                ray.init(
                    address="local",
                    include_dashboard=False,
                    _temp_dir=str(folder),
                    **_options(),
                )
            logging.getLogger("ray").setLevel(logging.ERROR)
            servers = servers_of(os.environ[MARK], folder)
            yield Cluster(_resources(), folder / "tune", local=True, servers=servers)
        finally:
            ray.shutdown()
            end_all(os.environ[MARK], folder)


@contextmanager
def _existing(address: str) -> Iterator[Cluster]:
    import ray

    _probe(address)
    try:
        with keeping_our_signal_handlers():
            ray.init(address=address, **_options())
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError.of(_ADDRESS, f"no Ray answers at {address}: {first}") from None
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="mixspace-tune-") as folder:
            yield Cluster(_resources(), Path(folder), local=False)
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Ray tries an address where nobody answers for minutes; a look takes a moment."""
    if "://" in address:
        raise InputError.of(
            _ADDRESS,
            f"{address} is not the address of a head node; submit the search as a job instead: "
            "ray job submit --working-dir . -- python -m search run CONFIG",
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return  # a word such as "auto", of which Ray knows what to make
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_SECONDS).close()
    except OSError as error:
        reason = error.strerror or "no answer in time"
        raise InputError.of(_ADDRESS, f"no Ray answers at {address}: {reason}") from None


def _resources() -> dict[str, float]:
    import ray

    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def _options() -> dict[str, Any]:
    return {"log_to_driver": False, "logging_level": logging.ERROR}


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
    if problems:
        raise InputError(problems)
