"""Ray: a private local one, or the cluster that RAY_ADDRESS names. Nobody else's is touched."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from filecmp import cmp
from importlib import import_module
from pathlib import Path

from search.own_packages import ROOT, place_of_foreign
from search.ray_executor.cluster import INIT_OPTIONS, Cluster, first_line
from search.ray_executor.ray_head import ADDRESS, address_of, ask_head
from search.ray_executor.ray_servers import HeadNode, Watched, raylet_of_this_driver
from search.ray_executor.ray_start import (
    keeping_our_signal_handlers,
    private_settings,
    ray_settings,
    shut_down_ray,
    start_private_ray,
)
from search.ray_executor.watchdog import OnWatch, nothing_to_tell, watched_folder
from space.errors import InputError


def _join(address: str) -> tuple[Watched, ...]:
    """Connect to the cluster at an address; what every trial needs of it."""
    import ray

    with keeping_our_signal_handlers():
        try:
            ray.init(address=address, **INIT_OPTIONS)
        except Exception as error:
            message = f"the Ray at {address} cannot be used: {first_line(error)}"
            raise InputError.of(ADDRESS, message) from error
    return HeadNode(address), *raylet_of_this_driver()


_OF_A_WORKER = ("space", "trainers", "search")


def refuse_foreign_search(folder: Path) -> None:
    """Refuse a working folder in which the workers would find another `search` than ours.

    It is the one that matters: once a worker has ours, it takes the others from there.
    A copy of this very program is none: the image has its source in the working folder, and
    `ray job submit --working-dir .` sends it along.

    Raises:
        InputError: naming the module.
    """
    found = place_of_foreign("search", folder)
    if found is not None and not _is_copy(found.parent.parent):
        raise InputError.of(
            "working folder",
            f"Ray's workers would take {found} for the `search` of mixspace: run from another "
            "folder, or rename it",
        )


def _is_copy(root: Path) -> bool:
    """Whether a folder has every module of ours that a worker takes, word for word."""
    ours = (file for package in _OF_A_WORKER for file in (ROOT / package).rglob("*.py"))
    return all(_is_same(file, root / file.relative_to(ROOT)) for file in ours)


def _is_same(file: Path, other: Path) -> bool:
    try:
        return cmp(file, other, shallow=False)
    except OSError:
        return False


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


@contextmanager
def connected_to_ray(address: str | None, on_watch: OnWatch = nothing_to_tell) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, or start a private one when it is None.

    Args:
        address: HOST:PORT of a head, "auto", or None.
        on_watch: called before that, as soon as a process stands that outlives this one.

    Raises:
        InputError: the cluster does not answer or does not take us, none can be started, or its
            workers would find another program.
    """
    if "ray" in sys.modules and import_module("ray").is_initialized():
        message = "this process is connected to a Ray already; leave it by ray.shutdown() first"
        raise InputError.of("Ray", message)
    refuse_foreign_search(Path.cwd())
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    for name in ("ray", "ray.widgets"):  # the other says in a notebook what Ray would show there
        logging.getLogger(name).setLevel(logging.ERROR)
    head = None if address is None else address_of(address)
    if head is not None:
        ask_head(head)
    with watched_folder(on_watch) as watchdog, ExitStack() as stack:
        if head is None:
            stack.enter_context(ray_settings(private_settings(watchdog.folder)))
            stack.callback(watchdog.end_all)
        stack.callback(shut_down_ray)
        import ray  # heavy, and it reads its settings where it is first imported

        servers = start_private_ray(watchdog) if head is None else _join(head)
        logging.getLogger("ray").setLevel(logging.ERROR)
        yield Cluster(
            dict(ray.cluster_resources()),  # type: ignore[no-untyped-call]
            watchdog.folder / "tune",
            local=head is None,
            servers=servers,
            watchdog=watchdog,
        )
