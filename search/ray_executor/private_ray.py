"""A Ray of this run's own: on this machine, for this process, reached by nobody else."""

import secrets
import shutil
import tempfile
from pathlib import Path

from search.ray_executor.cluster import INIT_OPTIONS, first_line
from search.ray_executor.ray_servers import Server, servers_of
from search.ray_executor.ray_start import (
    keeping_our_signal_handlers,
    sheltering_servers,
    staying_on_loopback,
)
from search.ray_executor.watchdog import Watchdog
from space.errors import InputError

_OBJECT_STORE = 128 * 2**20
"""Bytes of shared memory. Trials report a few numbers; Ray's default is a third of the memory."""

_AGAIN = "To go on, run the same command again; with --resume if the study is there already"


def start_private_ray(watchdog: Watchdog) -> tuple[Server, ...]:
    """Start one and connect to it; its servers. It has the settings of `private_settings`.

    Raises:
        InputError: it does not start.
    """
    import ray

    with keeping_our_signal_handlers(), sheltering_servers(), staying_on_loopback():
        try:
            ray.init(
                address="local",
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                _plasma_directory=_shared_memory(watchdog.folder),
                _temp_dir=str(watchdog.folder),
                **INIT_OPTIONS,
            )
        except Exception as error:
            why = first_line(error).rstrip(".")
            message = f"a private one does not start: {why}. {_AGAIN}"
            raise InputError.of("Ray", message) from error
    return servers_of(watchdog.mark, watchdog.folder)


def _shared_memory(folder: Path) -> str:
    """Where the object store lies: in memory, or where that is too small, in the session folder."""
    memory = Path("/dev/shm")
    try:
        with tempfile.TemporaryFile(dir=memory):
            free = shutil.disk_usage(memory).free
    except OSError:
        return str(folder)
    return str(memory if free > _OBJECT_STORE else folder)


def private_settings(folder: Path) -> dict[str, str | None]:
    """Environment of a private Ray in a folder; None takes a variable away.

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
