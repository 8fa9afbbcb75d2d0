"""A Ray of this run's own: on this machine, for this process, reached by nobody else."""

import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.ray_executor.cluster import Cluster, cluster_resources, first_line, init_options
from search.ray_executor.ray_servers import servers_of
from search.ray_executor.ray_start import (
    keeping_our_signal_handlers,
    ray_settings,
    sheltering_servers,
    shut_down_ray,
    staying_on_loopback,
)
from search.ray_executor.watchdog import OnWatch, watched_folder
from space.errors import InputError

_OBJECT_STORE = 128 * 2**20
"""Bytes of shared memory. Trials report a few numbers; Ray's default is a third of the memory."""

_AGAIN = "To go on, run the same command again; with --resume if the study is there already"


@contextmanager
def private_ray(on_watch: OnWatch) -> Iterator[Cluster]:
    """Start one for a block.

    Args:
        on_watch: called before it starts.

    Raises:
        InputError: there is no place for its files, or it does not start.
    """
    with watched_folder(on_watch) as watchdog, ray_settings(_settings(watchdog.folder)):
        try:
            _start(watchdog.folder)
            logging.getLogger("ray").setLevel(logging.ERROR)
            servers = servers_of(watchdog.mark, watchdog.folder)
            yield Cluster(
                cluster_resources(),
                watchdog.folder / "tune",
                local=True,
                servers=servers,
                watchdog=watchdog,
            )
        finally:
            shut_down_ray()
            watchdog.end_all()


def _start(folder: Path) -> None:
    import ray

    with keeping_our_signal_handlers(), sheltering_servers(), staying_on_loopback():
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                _plasma_directory=_shared_memory(folder),
                _temp_dir=str(folder),
                **init_options(),
            )
        except Exception as error:
            why = first_line(error).rstrip(".")
            message = f"a private one does not start: {why}. {_AGAIN}"
            raise InputError.of("Ray", message) from error


def _shared_memory(folder: Path) -> str:
    """Where the object store lies: in memory, or where that is too small, in the session folder."""
    memory = Path("/dev/shm")
    try:
        with tempfile.TemporaryFile(dir=memory):
            free = shutil.disk_usage(memory).free
    except OSError:
        return str(folder)
    return str(memory if free > _OBJECT_STORE else folder)


def _settings(folder: Path) -> dict[str, str | None]:
    """Environment of this Ray; None takes a variable away.

    Whoever may talk to Ray may run code, so it has a token that nobody but this user can read.
    The user's own token and settings are for clusters.
    """
    token = folder / "token"
    token.touch(0o600, exist_ok=False)
    token.write_text(secrets.token_hex(32))
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_AUTH_TOKEN": None,
        # The name is of the systems on which Ray does this by itself.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
