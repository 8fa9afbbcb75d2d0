"""How Ray is started, so that a signal to the driver is the driver's alone.

A signal often goes to a whole process group, or to every process of a job. Ray's servers would
die of it, and a driver without them is ended by Ray on the spot. And Ray puts a handler for
SIGTERM in place that ends the driver without a word. Neither can be had otherwise by an option;
a Ray that looks otherwise than expected is left as it is.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from search.ray_executor.watchdog_process import ENDING_SIGNALS


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
def sheltering_servers() -> Iterator[None]:
    """For a block in which Ray starts servers: they hear no signal but SIGKILL.

    Each has a session of its own. They are told to end by Ray itself, which then kills them.
    """
    from ray._private import services

    with ExitStack() as stack:
        popen = getattr(services, "ConsolePopen", None)
        if isinstance(popen, type):
            stack.enter_context(replaced(services, "ConsolePopen", _sheltered(popen)))
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
