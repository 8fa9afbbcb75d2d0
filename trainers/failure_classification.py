"""Who is to blame for a trial that broke off: of an exception, and of a worker that died.

The words by which faults are known stand in `trainers.fault_patterns`.
"""

import contextlib
import re
import sys
import traceback
from collections.abc import Iterator

from space.errors import InputError
from trainers import fault_patterns
from trainers.outcome import Cause, Failure, NonFiniteLoss, Retry, UnreadableData


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
    told = _told_by_loader(error)
    if told is not None:
        return _of_loader(*told)
    if _is_out_of_memory(error):
        return _out_of_memory(_first_line(error), held_by_others() if whole_gpu else 0.0)
    if isinstance(error, InputError):
        return _of_input(error)
    if isinstance(error, OSError) and not fault_patterns.BROKEN_FILE.search(_words(error)):
        return _of_system(error)
    return classify_message(type(error).__name__, _first_line(error), _place(error))


def classify_message(name: str, message: str, place: str = "") -> Failure:
    """The failure of an exception of which only the words are known.

    Args:
        name: of its class. message: its first line. place: where it was raised, in brackets.
    """
    reason = f"{name}: {message}{place}"
    if name == UnreadableData.__name__ or fault_patterns.BROKEN_FILE.search(message):
        said = message if name == UnreadableData.__name__ else reason
        return Failure(Cause.DATA, said, fault_patterns.MEND_FILE)
    if name == NonFiniteLoss.__name__:
        return Failure(Cause.ARCHITECTURE, message)
    if name in ("MemoryError", "OutOfMemoryError"):
        return _out_of_memory(message, 0.0)
    if (number := fault_patterns.number_in(message)) is not None:
        return _of_number(number, reason)
    if (advice := fault_patterns.fault_in(name, message)) is not None:
        of_gpu = advice == fault_patterns.LOOK_AT_GPU
        return Failure(Cause.SURROUNDINGS, reason, advice, breaks_worker=of_gpu)
    breaks_gpu = fault_patterns.BROKEN_GPU.search(message) is not None
    return Failure(Cause.CODE, reason, breaks_worker=breaks_gpu)


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
    if not isinstance(error, RuntimeError):
        return False
    return fault_patterns.MEMORY.search(_words(error)) is not None


def _out_of_memory(message: str, held: float) -> Failure:
    if held < _MUCH:
        return Failure(Cause.ARCHITECTURE, f"out of memory: {message}", infeasible=True)
    reason = f"out of memory, of which other processes hold {held:.0%} of the GPU: {message}"
    advice = "end the processes that `nvidia-smi` lists, or give each trial a share of a GPU"
    # A killed worker's memory is given back in a moment.
    return Failure(Cause.SURROUNDINGS, reason, advice, retry=Retry.COUNTED)


# --- the operating system -------------------------------------------------------------------------


def _of_system(error: OSError) -> Failure:
    number = error.errno if error.errno is not None else fault_patterns.number_in(_words(error))
    if number is not None:
        return _of_number(number, _named(error))
    # Raised by a library, as of the network, without a number of the operating system.
    return Failure(Cause.SURROUNDINGS, _named(error), fault_patterns.advice_for(None))


def _of_number(number: int, reason: str) -> Failure:
    if number in fault_patterns.OF_THE_CODE:
        return Failure(Cause.CODE, reason)
    return Failure(Cause.SURROUNDINGS, reason, fault_patterns.advice_for(number))


# --- data -----------------------------------------------------------------------------------------

_IN_LOADER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback \(most")


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
    return classify_message(name, message, place)


# --- workers that died ----------------------------------------------------------------------------

_HOST_MEMORY = re.compile(r"running low on memory|memory pressure|OutOfMemoryError: Task was", re.I)
_NODE_LOST = re.compile(
    r"node (?:has died|was terminated|is dead|died)|its node|NodeDied|node .{0,80}"
    r"(?:marked dead|missing too many heartbeats|preempted)",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(r"actor is temporarily unavailable|ActorUnavailable", re.IGNORECASE)
_TERMINATED = re.compile(r"process receives? a SIGTERM", re.IGNORECASE)
_OF_CLUSTER: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"failed to import on the worker|runtime_?env", re.I), fault_patterns.INSTALL),
    (
        re.compile(r"out of disk|ObjectStoreFull|object store is full", re.I),
        fault_patterns.MAKE_SPACE,
    ),
    (
        re.compile(r"cannot be scheduled|Unschedulable", re.I),
        "give the cluster the resources of a trial",
    ),
)
_DETAIL = re.compile(r"exit detail: (.+)", re.IGNORECASE)
_KILLED = re.compile(r"exits with a connection error code|killed by `ray\.kill`")
_RAISED = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w*)(?:: (.*))?$")
_OF_RAY = re.compile(r"^(?:Ray\w*Error|Actor\w*Error|TuneError|\w*TaskError)$")
_OBJECTS = re.compile(r"^(?:class_name|actor_id|pid|namespace|ip|name|node_id|worker_id)\s*:", re.I)
_EMPTY = re.compile(r"^(?:Failure # |ray::|The actor (?:died|is dead|is temporarily)|Traceback)")


def classify_death(text: str, crash: str = "") -> Failure:
    """Who is to blame for the death of a worker.

    Args:
        text: what Ray says of it: many lines, with colours, object names and a traceback.
        crash: what the worker itself left behind, such as "Segmentation fault".
    """
    plain = _COLOURS.sub("", text)
    if (lost := _lost_place(plain)) is not None:
        return Failure(Cause.SURROUNDINGS, lost, retry=Retry.OFTEN)
    if _HOST_MEMORY.search(plain):
        reason = "out of memory: Ray ended the worker to save the machine"
        return Failure(Cause.ARCHITECTURE, reason, infeasible=True, retry=Retry.COUNTED)
    raised = _last_exception(plain)
    if raised is not None:
        return classify_message(*raised)
    for words, advice in _OF_CLUSTER:
        if words.search(plain):
            return Failure(Cause.SURROUNDINGS, _detail(plain), advice)
    reason = f"the worker process died: {crash or _detail(plain)}"
    # Such as "Bus error" of a full disk behind mapped memory.
    if (what_to_do := fault_patterns.fault_in("", crash)) is not None:
        return Failure(Cause.SURROUNDINGS, reason, what_to_do, retry=Retry.COUNTED)
    return Failure(Cause.CODE, reason, retry=Retry.COUNTED)


def _lost_place(text: str) -> str | None:
    """What took a worker's place away, which says nothing of its trial; None where nothing did."""
    if _NODE_LOST.search(text):
        return "the node of its worker was lost"
    if _UNREACHABLE.search(text):
        return "its worker cannot be reached: it died, its node or the network is gone"
    return "its worker was ended by SIGTERM" if _TERMINATED.search(text) else None


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
