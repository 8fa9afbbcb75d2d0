"""How a trial ends when it does not end well: who is to blame, and what a person can do about it.

The one taxonomy of failure. An exception becomes a `Failure` with a `Cause`, and so does what Ray
says of a worker that died (`trainers.worker_death`); the words by which faults are known stand in
`trainers.fault_words`. Only a fault of the architecture or of the trial's code ends a trial for
good; faults of the data and of the surroundings say nothing of the architecture.
"""

import contextlib
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from space.errors import InputError
from space.passwords import masked
from trainers import fault_words


class Cause(StrEnum):
    """Who is to blame."""

    ARCHITECTURE = "architecture"
    """It diverges, or it needs more memory than there is."""
    CODE = "code"
    """An exception of the training, or a crash of its process."""
    DATA = "data"
    """Images that cannot be read."""
    SURROUNDINGS = "surroundings"
    """Disk, permissions, network, packages, GPU, node."""
    REQUEST = "request"
    """Nobody: it was asked to stop."""

    @property
    def ends_trial(self) -> bool:
        """Whether the trial has ended for good; else it goes on once the fault is mended."""
        return self in (Cause.ARCHITECTURE, Cause.CODE)

    @property
    def stops_run(self) -> bool:
        """Whether other trials would meet the same fault."""
        return self in (Cause.DATA, Cause.SURROUNDINGS)


class Retry(StrEnum):
    """Whether another worker takes the trial up, from its checkpoint."""

    NEVER = "never"
    COUNTED = "counted"
    """As often as the configuration's `retries` allow."""
    OFTEN = "often"
    """It has lost its node or its place there, of which a cluster may lose many."""


EndState = Literal["failed", "infeasible", "preempted"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial broke off.

    Attributes:
        cause: who is to blame.
        reason: what happened, on one line, without colours, passwords and Ray's own names.
        advice: what a person can do; empty where nothing general can be said.
        infeasible: whether it was for want of memory.
        retry: whether another worker takes it up.
        breaks_worker: whether the process is of no more use, as after an error on a GPU.
    """

    cause: Cause
    reason: str
    advice: str = ""
    infeasible: bool = False
    retry: Retry = Retry.NEVER
    breaks_worker: bool = False

    def __post_init__(self) -> None:
        # It goes into the store and on pages; what a library says of a connection may hold its URL.
        object.__setattr__(self, "reason", masked(self.reason))

    @property
    def state(self) -> EndState:
        """The state of the trial once it is not taken up again."""
        if not self.cause.ends_trial:
            return "preempted"
        return "infeasible" if self.infeasible else "failed"

    @property
    def sentence(self) -> str:
        """The reason, with the advice behind it."""
        return f"{self.reason}; {self.advice}" if self.advice else self.reason

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Failure":
        """What `to_dict` made."""
        plain = {**values, "cause": Cause(values["cause"]), "retry": Retry(values["retry"])}
        return cls(**plain)


class NonFiniteLoss(RuntimeError):
    """A loss became nan or infinite; the message says which, and in which epoch and step."""


class TrainingStopped(RuntimeError):
    """Training was asked to stop; the last checkpoint holds all that counts."""


class UnreadableData(RuntimeError):
    """A file of the data cannot be read; the message names it."""


def classify(error: BaseException, *, whole_gpu: bool = False) -> Failure:
    """The failure behind an exception that broke off a trial.

    Of what the exception was raised from, the first that is no fault of the code tells.

    Args:
        error: what was raised.
        whole_gpu: whether the trial has its GPU for itself, so that memory which others hold on
            it is theirs to give back.
    """
    found = [_classified(each, whole_gpu) for each in _chain(error)]
    return next((failure for failure in found if failure.cause != Cause.CODE), found[0])


def held_by_others() -> float:
    """The share of the current GPU's memory that other processes hold, 0 to 1."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    free, total = torch.cuda.mem_get_info()
    # What the driver itself needs for this process is some hundred MB; it is below the bound.
    others: float = (total - free - torch.cuda.memory_reserved()) / total
    return max(0.0, others)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and what it gathers."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop(0)
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__ or _handled(each), *getattr(each, "exceptions", ())]


def _handled(error: BaseException) -> BaseException | None:
    """The error of the `except` block that this one was raised in, by that block itself.

    What a block calls may fail for reasons of its own: `except FileNotFoundError: train()`.
    """
    handled = error.__context__
    if handled is None or error.__suppress_context__ or handled.__traceback__ is None:
        return None
    raised = error.__traceback__
    while raised is not None and raised.tb_next is not None:
        raised = raised.tb_next
    same = raised is not None and raised.tb_frame is handled.__traceback__.tb_frame
    return handled if same else None


def _classified(error: BaseException, whole_gpu: bool) -> Failure:
    if isinstance(error, TrainingStopped):
        return Failure(Cause.REQUEST, _first_line(error))
    told = _told_by_loader(error)
    if told is not None:
        return _of_loader(*told)
    if _is_out_of_memory(error):
        return _out_of_memory(_first_line(error), held_by_others() if whole_gpu else 0.0)
    if isinstance(error, InputError):
        return _of_input(error)
    if isinstance(error, OSError) and not _says_data(_words(error)):
        return _of_system(error)
    return of_words(type(error).__name__, _first_line(error), _place(error))


def of_words(name: str, message: str, place: str = "") -> Failure:
    """The failure of an exception of which only the words are known.

    Args:
        name: of its class. message: its first line. place: where it was raised, in brackets.
    """
    reason = f"{name}: {message}{place}"
    if name == UnreadableData.__name__ or _says_data(message):
        said = message if name == UnreadableData.__name__ else reason
        return Failure(Cause.DATA, said, fault_words.MEND_FILE)
    if name == NonFiniteLoss.__name__:
        return Failure(Cause.ARCHITECTURE, message)
    if name in ("MemoryError", "OutOfMemoryError"):
        return _out_of_memory(message, 0.0)
    if (number := fault_words.number_in(message)) is not None:
        return _of_number(number, reason)
    if (fault := fault_words.fault_in(name, message)) is not None:
        return Failure(Cause.SURROUNDINGS, reason, fault.advice, breaks_worker=fault.of_gpu)
    return Failure(Cause.CODE, reason, breaks_worker=fault_words.breaks_gpu(message))


def _of_input(error: InputError) -> Failure:
    places = {problem.where.split(".")[0] for problem in error.problems}
    if places <= {"data", "protocol"}:
        advice = "every node must see the data that the study began with"
        return Failure(Cause.DATA, _first_line(error), advice)
    return Failure(Cause.CODE, _named(error))


# --- memory ---------------------------------------------------------------------------------------

_MUCH = 0.1
"""The share of a GPU from which on it matters that others hold it."""


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and fault_words.says_memory(_words(error))


def _out_of_memory(message: str, held: float) -> Failure:
    if held < _MUCH:
        return Failure(Cause.ARCHITECTURE, f"out of memory: {message}", infeasible=True)
    reason = f"out of memory, of which other processes hold {held:.0%} of the GPU: {message}"
    advice = "end the processes that `nvidia-smi` lists, or give each trial a share of a GPU"
    # A killed worker's memory is given back in a moment.
    return Failure(Cause.SURROUNDINGS, reason, advice, retry=Retry.COUNTED)


# --- the operating system -------------------------------------------------------------------------


def _of_system(error: OSError) -> Failure:
    number = error.errno if error.errno is not None else fault_words.number_in(_words(error))
    if number is not None:
        return _of_number(number, _named(error))
    # Raised by a library, as of the network, without a number of the operating system.
    return Failure(Cause.SURROUNDINGS, _named(error), fault_words.advice_for(None))


def _of_number(number: int, reason: str) -> Failure:
    if number in fault_words.OF_THE_CODE:
        return Failure(Cause.CODE, reason)
    return Failure(Cause.SURROUNDINGS, reason, fault_words.advice_for(number))


# --- data -----------------------------------------------------------------------------------------

_IN_LOADER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback ")


def _says_data(message: str) -> bool:
    return fault_words.says_broken_file(message)


def _told_by_loader(error: BaseException) -> tuple[str, str, str] | None:
    """Name, message and place of what went wrong in a process that loads data.

    PyTorch keeps it as text only.
    """
    text = _words(error)
    if not _IN_LOADER.match(text):
        return None
    last = text.rpartition("Traceback (most recent call last):")[2]
    lines = [line for line in last.splitlines() if line and not line.startswith(" ")]
    kind, _, message = (lines or [type(error).__name__])[0].partition(": ")
    name = kind.rpartition(".")[2]
    frames = _FRAME.findall(last)
    return name, message[:_LONGEST] or name, _at(*frames[-1]) if frames else ""


def _of_loader(name: str, message: str, place: str) -> Failure:
    if name == "MemoryError":  # of the machine: a loader holds images, and no architecture
        advice = "set fewer data.workers, or free memory of the machine"
        reason = f"{name}: {message}{place}"
        return Failure(Cause.SURROUNDINGS, reason, advice, retry=Retry.COUNTED)
    return of_words(name, message, place)


# --- wording --------------------------------------------------------------------------------------

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)\n    (.*)$', re.MULTILINE)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {_first_line(error)}{_place(error)}"


def _words(error: BaseException) -> str:
    with contextlib.suppress(Exception):  # a user's own exception may not even have words
        return str(error)
    return ""


def _first_line(error: BaseException) -> str:
    # Cut first: a message may be endless.
    plain = _COLOURS.sub("", _words(error).strip()[: 10 * _LONGEST])
    lines = plain.splitlines()
    shown = "".join(letter for letter in lines[0] if letter.isprintable()) if lines else ""
    return shown[:_LONGEST] or type(error).__name__


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return _at(last.filename, last.lineno, last.name, last.line)


def _at(file: str, line: int | str | None, function: str, code: str | None) -> str:
    return f" (in {function}, {file.rsplit('/', 1)[-1]}:{line}: {code})"
