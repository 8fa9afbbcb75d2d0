"""How Ray is started, so that a signal to the driver is the driver's alone; and a private Ray.

A private one is this run's own: on this machine, for this process, reached by nobody else.

A signal often goes to a whole process group, or to every process of a job. Ray's servers would
die of it, and a driver without them is ended by Ray on the spot. And Ray puts a handler for
SIGTERM in place that ends the driver without a word. Neither can be had otherwise by an option;
a Ray that looks otherwise than expected is left as it is.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

from search.ray_executor.cluster import INIT_OPTIONS, first_line
from search.ray_executor.ray_servers import Server, servers_of
from search.ray_executor.watchdog import Watchdog
from search.ray_executor.watchdog_process import ENDING_SIGNALS
from space.errors import InputError


@contextmanager
def keeping_our_signal_handlers() -> Iterator[None]:
    """For a block in which Ray connects: it sets no handlers."""
    from ray._private import utils

    with replaced(utils, "set_sigterm_handler", lambda handler: None):
        yield


def shut_down_ray() -> None:
    """Leave it, and put back the handlers of signals for which Ray restores the system's own."""
    import ray

    ray.shutdown()
    for number in ENDING_SIGNALS:
        handler = signal.getsignal(number)
        if handler is not None:  # else it is none of Python's
            signal.signal(number, handler)


@contextmanager
def ray_settings(settings: Mapping[str, str | None]) -> Iterator[None]:
    """Variables of the environment that Ray reads, for a block; None takes one away."""
    before = {name: os.environ.get(name) for name in settings}
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def _set(settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    raylet: Any = import_module("ray._raylet")
    # It remembers how to authenticate from when it was imported.
    raylet.Config.initialize("")
    raylet.AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def staying_on_loopback() -> Iterator[None]:
    """For a block in which Ray starts servers: this machine has no address but 127.0.0.1."""
    from ray._private import ray_constants

    with replaced(ray_constants, "ENABLE_RAY_CLUSTER", False):
        yield


@contextmanager
def with_few_servers() -> Iterator[None]:
    """For a block in which Ray starts servers: only those that a trial needs.

    No web page, no autoscaler, no reader of the workers' logs: each is a Python program that takes
    a second of processor time and 100 MB. The agent that is left is that of a Ray which is
    installed without the packages of a dashboard.
    """
    from ray._private import node, parameter, utils

    absent = ImportError("a private Ray has no dashboard")
    with (
        _subclassed(parameter, "RayParams", _few_servers),
        replaced(getattr(node, "Node", None), "start_api_server", lambda node, **options: None),
        replaced(utils, "get_dashboard_dependency_error", lambda: absent),
    ):
        yield


def _few_servers(params: Any) -> Any:
    class FewServers(params):  # type: ignore[misc]
        """Parameters of a Ray without an autoscaler and a reader of logs.

        Told nothing, the agent of every Ray of a machine asks for one and the same port, and
        every Ray but the first waits three seconds for it in vain.
        """

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.dashboard_agent_listen_port = 0
            self.no_monitor = True
            self.include_log_monitor = False

    return FewServers


@contextmanager
def sheltering_servers() -> Iterator[None]:
    """For a block in which Ray starts servers: they hear no signal but SIGKILL.

    Each has a session of its own. They are told to end by Ray itself, which then kills them.
    """
    from ray._private import services

    with _subclassed(services, "ConsolePopen", _sheltered):
        yield


@contextmanager
def _subclassed(owner: Any, name: str, subclass: Callable[[Any], Any]) -> Iterator[None]:
    """A class that is derived from an attribute in its place; nothing where that is no class."""
    found = getattr(owner, name, None)
    with replaced(owner, name, subclass(found)) if isinstance(found, type) else nullcontext():
        yield


def _sheltered(popen: Any) -> Any:
    class Sheltered(popen):  # type: ignore[misc]
        """A server that is started with these signals blocked, and ended by SIGKILL."""

        def __init__(
            self, *args: Any, preexec_fn: Callable[[], None] | None = None, **options: Any
        ) -> None:
            def prepare() -> None:
                if preexec_fn is not None:
                    preexec_fn()
                signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)

            super().__init__(*args, **options | {"start_new_session": True, "preexec_fn": prepare})

        def terminate(self) -> None:
            """It would not hear SIGTERM."""
            self.kill()

    return Sheltered


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Another attribute of a module or an object for a block; nothing where it has none."""
    before = getattr(owner, name, None)
    if before is None:
        yield
        return
    is_own = name in vars(owner)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if is_own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)  # the method of the class is seen again


_OBJECT_STORE = 128 * 2**20
"""Bytes of shared memory. Trials report a few numbers; Ray's default is a third of the memory."""

_AGAIN = "To go on, run the same command again; with --resume if the study is there already"


def start_private_ray(watchdog: Watchdog) -> tuple[Server, ...]:
    """Start one and connect to it; its servers. It has the settings of `private_settings`.

    Raises:
        InputError: it does not start.
    """
    import ray

    with (
        keeping_our_signal_handlers(),
        sheltering_servers(),
        staying_on_loopback(),
        with_few_servers(),
    ):
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
        # Else a worker for each core starts beforehand, and none of them is ever given a trial.
        "RAY_prestart_worker_first_driver": "0",
    }
