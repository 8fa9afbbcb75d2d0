"""How a trial ends when it does not end well: who is to blame, and what a person can do about it.

The one taxonomy of failure. An exception, or what Ray says of a worker that died, becomes a
`Failure` with a `Cause`. Only a fault of the architecture or of the trial's code ends a trial for
good; faults of the data and of the surroundings say nothing of the architecture.
"""

import contextlib
import errno
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from space.errors import InputError


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
    ALWAYS = "always"
    """It has lost a node, of which a cluster may lose many."""


EndState = Literal["failed", "infeasible", "preempted"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial broke off.

    Attributes:
        cause: who is to blame.
        reason: what happened, on one line, without colours and without Ray's own names.
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

    Args:
        error: what was raised.
        whole_gpu: whether the trial has its GPU for itself, so that memory which others hold on
            it is theirs to give back.
    """
    if isinstance(error, TrainingStopped):
        return Failure(Cause.REQUEST, _first_line(error))
    if isinstance(error, NonFiniteLoss):
        return Failure(Cause.ARCHITECTURE, _first_line(error))
    if _is_out_of_memory(error):
        return _out_of_memory(_first_line(error), held_by_others() if whole_gpu else 0.0)
    told = _told_by_loader(error)
    if told is not None:
        return _of_text(*told)
    if (found := _data(error)) is not None:
        return found
    if (number := _error_number(error)) is not None:
        return _of_system(_named(error), number)
    return _of_text(type(error).__name__, _first_line(error), _place(error))


def classify_death(text: str, crash: str = "") -> Failure:
    """The failure behind the death of a worker.

    Args:
        text: what Ray says of it: many lines, with colours, object names and a traceback.
        crash: what the worker itself left behind, such as "Segmentation fault".
    """
    plain = _COLOURS.sub("", text)
    if _NODE_LOST.search(plain):
        return Failure(Cause.SURROUNDINGS, "the node of its worker was lost", retry=Retry.ALWAYS)
    if _HOST_MEMORY.search(plain):
        reason = "out of memory: Ray ended the worker to save the machine"
        return Failure(Cause.ARCHITECTURE, reason, infeasible=True, retry=Retry.COUNTED)
    raised = _last_exception(plain)
    if raised is not None:
        return _of_text(*raised, "")
    if sign := next((s for s in _SURROUNDINGS if s[0].search(plain)), None):
        return Failure(Cause.SURROUNDINGS, _detail(plain), sign[1])
    if _UNREACHABLE.search(plain):
        reason = "its worker cannot be reached: it died, its node or the network is gone"
        return Failure(Cause.SURROUNDINGS, reason, "look at its node", retry=Retry.COUNTED)
    reason = f"the worker process died: {crash or _detail(plain)}"
    return Failure(Cause.CODE, reason, retry=Retry.COUNTED)


def held_by_others() -> float:
    """The share of the current GPU's memory that other processes hold, 0 to 1."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0.0
    free, total = torch.cuda.mem_get_info()
    # What the driver itself needs for this process is some hundred MB; it is below the bound.
    others: float = (total - free - torch.cuda.memory_reserved()) / total
    return max(0.0, others)


# --- memory ---------------------------------------------------------------------------------------

MEMORY_SIGNS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
)
_MUCH = 0.1
"""The share of a GPU from which on it matters that others hold it."""


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(s in _words(error).lower() for s in MEMORY_SIGNS)


def _out_of_memory(message: str, held: float) -> Failure:
    if held < _MUCH:
        return Failure(Cause.ARCHITECTURE, f"out of memory: {message}", infeasible=True)
    reason = f"out of memory, of which other processes hold {held:.0%} of the GPU: {message}"
    advice = "end the processes that `nvidia-smi` lists, or give each trial a share of a GPU"
    # A killed worker's memory is given back in a moment.
    return Failure(Cause.SURROUNDINGS, reason, advice, retry=Retry.COUNTED)


# --- the operating system -------------------------------------------------------------------------

_MAKE_SPACE = "make space there, or put the checkpoints elsewhere by --set checkpoints=FOLDER"
_ADVICE: Mapping[str, tuple[str, ...]] = {
    _MAKE_SPACE: ("ENOSPC", "EDQUOT", "EFBIG"),
    "give this user permission there": ("EACCES", "EPERM", "EROFS"),
    "bring it back": ("ENOENT", "ENOTDIR", "EISDIR"),
    "raise the limit of open files (ulimit -n)": ("EMFILE", "ENFILE"),
    "free memory or processes of the machine": ("ENOMEM", "EAGAIN"),
}
_BY_NUMBER = {getattr(errno, name): advice for advice, names in _ADVICE.items() for name in names}
_MEND = "mend it"
_NUMBER = re.compile(r"\[Errno (\d+)\]|\(os error (\d+)\)|No space left on device \((\d+)\)")
_NETWORK = frozenset(
    {"ConnectionError", "TimeoutError", *(k.__name__ for k in ConnectionError.__subclasses__())}
)


def _error_number(error: BaseException) -> int | None:
    """The number by which the operating system refused something; also of what it led to."""
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno is not None:
            return each.errno
        if match := _NUMBER.search(_words(each)):
            return int(next(filter(None, match.groups())))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from and what it gathers; not what was merely handled then."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            left += [each.__cause__, *getattr(each, "exceptions", ())]


def _of_system(reason: str, number: int) -> Failure:
    return Failure(Cause.SURROUNDINGS, reason, _BY_NUMBER.get(number, _MEND))


# --- data -----------------------------------------------------------------------------------------

_MEND_FILE = "mend the file or take it away, or bring back the disk that it lies on"
# What PIL says of broken files, by OSErrors that no operating system gave a number.
_BROKEN_IMAGE = re.compile(
    r"cannot identify image file|image file is truncated|broken data stream|truncated file read|"
    r"decompression bomb",
    re.IGNORECASE,
)


def _data(error: BaseException) -> Failure | None:
    if isinstance(error, UnreadableData):
        return Failure(Cause.DATA, _first_line(error), _MEND_FILE)
    if isinstance(error, InputError):
        places = {problem.where.split(".")[0] for problem in error.problems}
        if places <= {"data", "protocol"}:
            advice = "every node must see the data that the study began with"
            return Failure(Cause.DATA, _first_line(error), advice)
    return None


_IN_LOADER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback ")


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


# --- by the words of the message ------------------------------------------------------------------

_INSTALL = "install the same packages on every node as where the search is started"
_LOOK_AT_GPU = "look at the GPU of that node (`nvidia-smi`)"
_SURROUNDINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), advice)
    for pattern, advice in (
        (r"failed to import on the worker|runtime_?env", _INSTALL),
        (r"out of disk|OutOfDisk|ObjectStoreFull|object store is full|no space left", _MAKE_SPACE),
        (r"PytorchStreamWriter failed|inline_container|disk is full", _MAKE_SPACE),
        (r"insufficient shared memory|out of shared memory|bus error", "enlarge /dev/shm"),
        (r"can't start new thread", "free memory or processes of the machine"),
        (
            r"no CUDA-capable device|no NVIDIA driver|CUDA driver|busy or unavailable|"
            r"GPU is lost|fallen off the bus|uncorrectable|ECC error|no kernel image|"
            r"CUDA unknown error|NVML|system not yet initialized|CUDA is not available|"
            r"not compiled with CUDA|invalid device ordinal",
            _LOOK_AT_GPU,
        ),
        (r"DataLoader worker .*(?:killed|exited unexpectedly)", "give it memory, or fewer workers"),
        (r"cannot be scheduled|Unschedulable", "give the cluster the resources of a trial"),
    )
)
_BROKEN_GPU = re.compile(
    r"illegal memory access|device-side assert|misaligned address|unspecified launch failure", re.I
)
_IMPORTS = ("ImportError", "ModuleNotFoundError")


def _of_text(name: str, message: str, place: str) -> Failure:
    """The failure of an exception of which only the words are known."""
    reason = f"{name}: {message}{place}"
    if name == UnreadableData.__name__ or _BROKEN_IMAGE.search(message):
        return Failure(Cause.DATA, message, _MEND_FILE)
    if name == NonFiniteLoss.__name__:
        return Failure(Cause.ARCHITECTURE, message)
    if name in ("MemoryError", "OutOfMemoryError"):
        return _out_of_memory(message, 0.0)
    if name in _IMPORTS:
        return Failure(Cause.SURROUNDINGS, reason, _INSTALL)
    if match := _NUMBER.search(message):
        return _of_system(reason, int(next(filter(None, match.groups()))))
    if name in _NETWORK:
        return Failure(Cause.SURROUNDINGS, reason, "bring the network back")
    if sign := next((s for s in _SURROUNDINGS if s[0].search(message)), None):
        gpu = sign[1] == _LOOK_AT_GPU
        return Failure(Cause.SURROUNDINGS, reason, sign[1], breaks_worker=gpu)
    return Failure(Cause.CODE, reason, breaks_worker=bool(_BROKEN_GPU.search(message)))


# --- what Ray says --------------------------------------------------------------------------------

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_HOST_MEMORY = re.compile(r"running low on memory|memory pressure|OutOfMemoryError: Task was", re.I)
_NODE_LOST = re.compile(
    r"node (?:has died|was terminated|is dead|died)|its node|NodeDied|node .{0,80}"
    r"(?:marked dead|missing too many heartbeats|preempted)",
    re.IGNORECASE,
)
# What Ray says before it knows of the death of a node, or of a worker.
_UNREACHABLE = re.compile(r"is temporarily unavailable|ActorUnavailableError")
_DETAIL = re.compile(r"exit detail: (.+)", re.IGNORECASE)
_KILLED = re.compile(r"exits with a connection error code|killed by `ray\.kill`")
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w*)(?:: (.*))?$")
_OF_RAY = re.compile(r"^(?:Ray\w*Error|Actor\w*Error|TuneError|\w*TaskError)$")
_OBJECTS = re.compile(r"^(?:class_name|actor_id|pid|namespace|ip|name|node_id|worker_id)\s*:", re.I)
_EMPTY = re.compile(r"^(?:Failure # |ray::|The actor (?:died|is dead|is temporarily)|Traceback)")


def _last_exception(text: str) -> tuple[str, str] | None:
    """Name and message of the exception that a traceback ends with; not one of Ray's own."""
    lines = text.splitlines()
    frames = [place for place, line in enumerate(lines) if line.startswith('  File "')]
    behind = lines[frames[-1] :] if frames else []
    raised = next((line for line in behind if line and not line.startswith(" ")), "")
    match = _RAISED.match(raised)
    if match is None or _OF_RAY.match(match[1]):
        return None
    return match[1], (match[2] or match[1])[:_LONGEST]


def _detail(text: str) -> str:
    """The one line of Ray's many that says something."""
    if _KILLED.search(text):
        return "it was killed, or crashed in native code"
    if match := _DETAIL.search(text):
        return " ".join(match[1].split())[:_LONGEST]
    for line in (line.strip() for line in text.splitlines()):
        name, _, rest = line.partition(": ")
        said = rest if _OF_RAY.match(name.rpartition(".")[2]) else line
        if said and not _EMPTY.match(said) and not _OBJECTS.match(said) and said[0] != '"':
            return said[:_LONGEST]
    return "no more is known"


# --- wording --------------------------------------------------------------------------------------

_LONGEST = 300
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)\n    (.*)$', re.MULTILINE)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {_first_line(error)}{_place(error)}"


def _words(error: BaseException) -> str:
    with contextlib.suppress(Exception):  # a user's own exception may not even have words
        return str(error)
    return ""


def _first_line(error: BaseException) -> str:
    lines = _words(error).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(error).__name__


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    last = frames[-1]
    return _at(last.filename, last.lineno, last.name, last.line)


def _at(file: str, line: int | str | None, function: str, code: str | None) -> str:
    return f" (in {function}, {file.rsplit('/', 1)[-1]}:{line}: {code})"
