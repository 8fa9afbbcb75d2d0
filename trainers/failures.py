"""How a trial ends when it does not end well: a state, and a reason that a person can read."""

import re
import traceback
from dataclasses import dataclass
from typing import Literal

MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
)

_IN_WORKER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback ")
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)\n    (.*)$', re.MULTILINE)


class NonFiniteLoss(RuntimeError):
    """A loss became nan or infinite; the message says which, and in which epoch and step."""


class TrainingStopped(RuntimeError):
    """Training was asked to stop; the last checkpoint holds all that counts."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The trial state that an exception leads to, and why."""

    state: Literal["failed", "infeasible", "preempted"]
    reason: str


def classify(error: BaseException) -> Failure:
    """The state and reason for an exception that ended a trial.

    Running out of memory makes an architecture infeasible; a stop on request leaves it preempted;
    everything else, non-finite losses included, is a failure.
    """
    if isinstance(error, TrainingStopped):
        return Failure("preempted", _first_line(error))
    if isinstance(error, NonFiniteLoss):
        return Failure("failed", _first_line(error))
    name, message, place = _told_by_worker(error) or _told(error)
    if _is_out_of_memory(error):
        return Failure("infeasible", f"out of memory: {message}")
    return Failure("failed", f"{name}: {message}{place}")


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in MEMORY_SIGNS)


def _told(error: BaseException) -> tuple[str, str, str]:
    """Type, message and place of an error."""
    return type(error).__name__, _first_line(error), _place(error)


def _told_by_worker(error: BaseException) -> tuple[str, str, str] | None:
    """The same of what went wrong in a process that loads data: PyTorch keeps it as text only."""
    text = str(error)
    if not _IN_WORKER.match(text):
        return None
    last = text.rpartition("Traceback (most recent call last):")[2]
    lines = [line for line in last.splitlines() if line and not line.startswith(" ")]
    kind, _, message = (lines or [type(error).__name__])[0].partition(": ")
    name = kind.rpartition(".")[2]
    frames = _FRAME.findall(last)
    place = _at(*frames[-1]) if frames else ""
    return name, message[:300] or name, place


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return _at(last.filename, last.lineno, last.name, last.line)


def _at(file: str, line: int | str | None, function: str, code: str | None) -> str:
    return f" (in {function}, {file.rsplit('/', 1)[-1]}:{line}: {code})"
