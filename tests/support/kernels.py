"""A real Jupyter kernel: cells are run in it, and interrupted, as a notebook does it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager, start_new_kernel

from tests.support.streams import ROOT

_SECONDS = 100.0


@dataclass
class Cell:
    """What a cell showed.

    Attributes:
        text: of its streams.
        result: of its last line, as text.
        shown: the types of what it displayed otherwise.
        error: name and message.
    """

    text: str = ""
    result: str = ""
    shown: list[str] = field(default_factory=list)
    error: tuple[str, str] | None = None


class Kernel:
    """A kernel that was started by `started_kernel`.

    Attributes:
        folder: that it works in.
    """

    def __init__(self, folder: Path, manager: KernelManager, client: Any) -> None:
        self.folder = folder
        self._manager, self._client = manager, client

    def run(self, code: str, look: Callable[[Cell], None] = lambda cell: None) -> Cell:
        """Run a cell to its end.

        Args:
            code: of it.
            look: called with what it has shown so far, whenever it shows more.
        """
        cell, mine = Cell(), self._client.execute(code)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            message = self._client.get_iopub_msg(timeout=_SECONDS)
            if message["parent_header"].get("msg_id") != mine:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return cell
            self._note(cell, kind, content)
            look(cell)
        raise TimeoutError(f"the cell does not end: {cell}")

    @staticmethod
    def _note(cell: Cell, kind: str, content: dict[str, Any]) -> None:
        if kind == "stream":
            cell.text += content["text"]
        elif kind == "execute_result":
            cell.result = content["data"]["text/plain"]
        elif kind == "display_data":
            cell.shown += content["data"]
        elif kind == "error":
            cell.error = content["ename"], content["evalue"]

    def interrupt(self) -> None:
        """As the button of a notebook does."""
        self._manager.interrupt_kernel()

    @property
    def is_alive(self) -> bool:
        """Whether its process is there."""
        return bool(self._manager.is_alive())


@contextmanager
def started_kernel(folder: Path) -> Iterator[Kernel]:
    """A kernel in a folder, which finds the modules under test; ended in the end."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython")}
    manager, client = start_new_kernel(cwd=str(folder), env=environment)
    try:
        yield Kernel(folder, manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
