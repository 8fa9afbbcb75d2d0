"""How a trial ends when it does not end well: a state, and a reason that a person can read."""

import traceback
from dataclasses import dataclass
from typing import Literal

MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
)


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
    if _is_out_of_memory(error):
        return Failure("infeasible", f"out of memory: {_first_line(error)}")
    return Failure("failed", f"{type(error).__name__}: {_first_line(error)}{_place(error)}")


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(s in str(error).lower() for s in MEMORY_SIGNS)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return f" (in {last.name}, {last.filename.rsplit('/', 1)[-1]}:{last.lineno}: {last.line})"
