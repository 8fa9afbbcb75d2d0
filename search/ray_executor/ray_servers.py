"""Notices that what every trial needs is gone, of which Ray tells its driver late or never."""

import contextlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from search.ray_executor.ray_head import knock, raylets
from search.ray_executor.watchdog_process import belonging
from search.store import process_is_alive, process_started
from space.surface import surface

_NAMES = ("gcs_server", "raylet")
_INTERVAL = 0.2
_HEAD_INTERVAL = 2.0
_RECONNECTS = 60.0
"""Seconds that Ray waits for its head to come back, before it ends the driver without a word."""

_RECONNECT_VARIABLE = "RAY_gcs_rpc_server_reconnect_timeout_s"


class Watched(Protocol):
    """What has to be there for the length of a run."""

    def gone(self) -> str | None:
        """Why the run cannot go on; None while it can."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process of Ray on this machine, named by its pid and start time."""

    name: str
    pid: int
    started: float

    def gone(self) -> str | None:
        """That it was killed; None while it runs."""
        return None if process_is_alive(self.pid, self.started) else f"Ray's {self.name} was killed"


@dataclass(slots=True)
class HeadNode:
    """The head of a cluster, which may be away for a while and come back.

    Attributes:
        address: HOST:PORT.
        patience: seconds.
    """

    address: str
    patience: float = field(default_factory=lambda: _reconnects() * 0.75)
    _asked: float = field(default_factory=time.monotonic)
    _answered: float = field(default_factory=time.monotonic)

    def gone(self) -> str | None:
        """That it has not answered for too long."""
        now = time.monotonic()
        if now - self._asked >= _HEAD_INTERVAL:
            self._asked = now
            if self._answers():
                self._answered = time.monotonic()
        if now - self._answered <= self.patience:
            return None
        return f"the head of the cluster at {self.address} does not answer"

    def _answers(self) -> bool:
        try:
            knock(self.address, _HEAD_INTERVAL)
        except OSError:
            return False
        return True


def _reconnects() -> float:
    try:
        return float(os.environ.get(_RECONNECT_VARIABLE, _RECONNECTS))
    except ValueError:
        return _RECONNECTS


def raylet_of_this_driver() -> tuple[Server, ...]:
    """The raylet to which this process is connected; none where it cannot be known."""
    import ray

    node = getattr(ray._private.worker, "_global_node", None)
    named = getattr(node, "raylet_socket_name", None)
    mine = (pid for pid, _, words in raylets() if f"--raylet_socket_name={named}" in words)
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        return tuple(Server("raylet", pid, process_started(pid)) for pid in mine)
    return ()


def servers_of(mark: str, folder: Path) -> tuple[Server, ...]:
    """The servers among the processes of a private Ray; none where there is no /proc."""
    found = []
    for pid in belonging(mark, folder):
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
            if Path(program).name in _NAMES:
                found.append(Server(Path(program).name, pid, process_started(pid)))
    return tuple(found)


@contextlib.contextmanager
def watching(servers: tuple[Watched, ...], on_gone: Callable[[str], None]) -> Iterator[None]:
    """Look after the servers for the length of a block.

    Args:
        servers: all of them are there.
        on_gone: told why the first of them is not any more, once, from a thread.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(_INTERVAL):
            for server in servers:
                reason = server.gone()
                if reason is not None:
                    on_gone(reason)
                    return

    thread = threading.Thread(target=look, name="ray servers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


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
        f"{surface().setting('checkpoints', 'FOLDER')}"
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
