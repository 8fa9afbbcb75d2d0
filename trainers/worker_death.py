"""The failure behind the death of a worker, from what Ray says of it."""

import re

from trainers import fault_words
from trainers.failures import Cause, Failure, Retry, of_words

_LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_HOST_MEMORY = re.compile(r"running low on memory|memory pressure|OutOfMemoryError: Task was", re.I)
_NODE_LOST = re.compile(
    r"node (?:has died|was terminated|is dead|died)|its node|NodeDied|node .{0,80}"
    r"(?:marked dead|missing too many heartbeats|preempted)",
    re.IGNORECASE,
)
_UNREACHABLE = re.compile(r"actor is temporarily unavailable|ActorUnavailable", re.IGNORECASE)
_TERMINATED = re.compile(r"process receives? a SIGTERM", re.IGNORECASE)
_OF_CLUSTER: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"failed to import on the worker|runtime_?env", re.I), fault_words.INSTALL),
    (re.compile(r"out of disk|ObjectStoreFull|object store is full", re.I), fault_words.MAKE_SPACE),
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
        return of_words(*raised)
    for words, advice in _OF_CLUSTER:
        if words.search(plain):
            return Failure(Cause.SURROUNDINGS, _detail(plain), advice)
    reason = f"the worker process died: {crash or _detail(plain)}"
    fault = fault_words.fault_in("", crash)  # as "Bus error" of a full disk behind mapped memory
    if fault is not None:
        return Failure(Cause.SURROUNDINGS, reason, fault.advice, retry=Retry.COUNTED)
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
