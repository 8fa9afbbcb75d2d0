"""Checkpoints: one safetensors file, written atomically, sealed with a hash, never pickled.

Tensors are named "model.<key>" and "optimiser.<slot>.<parameter>"; everything else is JSON in the
header. Random states are not among it: those of an epoch follow from the seeds and its number.

A file is written beside the one that it replaces, each writer having its own: a worker may still
write while another, elsewhere, has taken its trial over.
"""

import errno
import glob
import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from space.errors import InputError
from trainers.fault_patterns import number_in

FORMAT = "mixspace checkpoint 1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Contents of a checkpoint.

    Attributes:
        tensors: by name, on the CPU.
        state: plain JSON values.
    """

    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose name starts with `prefix.`, under the rest of the name."""
        start = f"{prefix}."
        return {n.removeprefix(start): t for n, t in self.tensors.items() if n.startswith(start)}


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a reader, or a crash at any moment, finds the old one or the new one."""
    tensors = {n: t.detach().cpu().contiguous() for n, t in checkpoint.tensors.items()}
    state = json.dumps(checkpoint.state, sort_keys=True, allow_nan=False)
    metadata = {"format": FORMAT, "state": state, "sha256": seal(FORMAT, tensors, state)}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial_file(path)
    try:
        save_file(tensors, partial, metadata)
        _flush(partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _flush(path.parent)


def load_checkpoint(path: Path, expected: Mapping[str, Any] | None = None) -> Checkpoint:
    """Read and check a checkpoint.

    Args:
        path: the file.
        expected: entries that the state must have, such as {"architecture": id}.

    Raises:
        InputError: naming the file, if it is missing, corrupt, or not of what is expected.
        OSError: the operating system does not let it be read, which says nothing of the file.
    """
    metadata, tensors = sealed_tensors(path, FORMAT, "checkpoint", "a checkpoint")
    state: dict[str, Any] = json.loads(metadata["state"])
    _check_expected(path, state, expected or {})
    return Checkpoint(tensors, state)


def sealed_tensors(
    path: Path, file_format: str, where: str, kind: str
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and tensors of a sealed file, their hash checked.

    Args:
        path: the file.
        file_format: that its metadata must name.
        where: the problem's place. kind: what it should be, in words.

    Raises:
        InputError, OSError: as `load_checkpoint` does.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError.of(where, f"{path} does not exist") from None
    except (SafetensorError, OSError, ValueError, KeyError, UnicodeDecodeError) as error:
        if _is_of_the_system(error):
            raise
        raise InputError.of(where, f"{path} is corrupt ({_why_unreadable(path, error)})") from None
    if metadata.get("format") != file_format:
        found = metadata.get("format", "none")
        message = f"{path} is not {kind} of this program (format {found}, not {file_format!r})"
        raise InputError.of(where, message)
    if metadata.get("sha256") != seal(file_format, tensors, metadata.get("state", "")):
        raise InputError.of(where, f"{path} is corrupt (its hash does not match)")
    return metadata, tensors


_PICKLED = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of `torch.save` and pickles begin."""


def _why_unreadable(path: Path, error: Exception) -> str:
    """What is wrong with a file; one that could run code is named for what it is."""
    try:
        with path.open("rb") as file:
            begins = file.read(4)
    except OSError:
        return str(error)
    if begins.startswith(_PICKLED):
        return "a pickle, which may run code; only safetensors are read"
    return str(error)


def load_weights(network: nn.Module, path: Path, expected: Mapping[str, Any]) -> None:
    """Give a network the weights that a checkpoint's training is judged by.

    Raises:
        InputError: as `load_checkpoint` does, or if they do not fit the network.
    """
    weights = load_checkpoint(path, expected).part("model")
    check_tensors(path, weights, network.state_dict(), "network")
    network.load_state_dict(weights)


_OF_THE_FILE = frozenset({None, errno.EINVAL, errno.EISDIR, errno.ENODEV, errno.ENOTDIR})
"""Errors of what is no file of ours, a folder among it; with all others it may well be sound."""


def _is_of_the_system(error: Exception) -> bool:
    """Whether the file only cannot be reached now."""
    is_refusal = isinstance(error, OSError | SafetensorError)
    return is_refusal and number_in(str(error)) not in _OF_THE_FILE


def check_tensors(
    path: Path,
    found: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    what: str,
    where: str = "checkpoint",
) -> None:
    """Refuse tensors whose names, shapes or types differ from those of the built network.

    Raises:
        InputError: listing the first few differences.
    """
    differences = [f"{name} is missing" for name in wanted if name not in found]
    differences += [f"{name} is not known" for name in found if name not in wanted]
    for name in wanted:
        if name in found and _kind(found[name]) != _kind(wanted[name]):
            message = f"{name} is {_kind(found[name])}, not {_kind(wanted[name])}"
            differences.append(message)
    if differences:
        rest = f", and {len(differences) - 5} more" if len(differences) > 5 else ""
        message = f"{path} does not fit the {what}: {', '.join(differences[:5])}{rest}"
        raise InputError.of(where, message)


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _check_expected(path: Path, state: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for name, value in expected.items():
        if state.get(name) != value:
            message = f"{path} was written for {name} {state.get(name)}, not {value}"
            raise InputError.of("checkpoint", message)


def seal(file_format: str, tensors: Mapping[str, Tensor], state: str) -> str:
    """A hash over names, types, shapes and values of tensors, and a text; 64 hex digits."""
    digest = hashlib.sha256(f"{file_format}\n{state}\n".encode())
    for name in sorted(tensors):
        digest.update(f"{name} {_kind(tensors[name])}\n".encode())
        # Bytes of any type: NumPy has no bfloat16, and 0-d tensors cannot change their type.
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- files half-written ---------------------------------------------------------------------------

_PARTIAL = ".partial"
_PARTIAL_NAME = re.compile(r".*\.([0-9a-f]{8})-(\d+)-(\d+)\.partial")
_OLD_SECONDS = 24 * 3600.0
"""No writer takes so long: it is gone, wherever it was."""


def _partial_file(path: Path) -> Path:
    """Where this process writes what shall replace a file; nobody else writes there."""
    writer = f"{_machine()}-{os.getpid()}-{_started(os.getpid())}"
    return path.with_name(f"{path.name}.{writer}{_PARTIAL}")


def remove_abandoned(path: Path) -> None:
    """Remove what writers of a file that are gone have left half-written."""
    for found in path.parent.glob(f"{glob.escape(path.name)}.*"):
        if found.name.endswith(_PARTIAL) and _is_abandoned(found):
            found.unlink(missing_ok=True)


def _is_abandoned(partial: Path) -> bool:
    told = _PARTIAL_NAME.fullmatch(partial.name)
    if told is not None and told[1] == _machine() and int(told[3]):
        return _started(int(told[2])) != int(told[3])
    try:
        return time.time() - partial.stat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:  # it has replaced its file
        return False


@cache
def _machine() -> str:
    """Where a number of a process means this process: the machine, and the PIDs that it sees."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # a system without them
        namespace = ""
    return hashlib.sha256(f"{socket.gethostname()} {namespace}".encode()).hexdigest()[:8]


def _started(pid: int) -> int:
    """When a process began, in clock ticks; 0 where there is none, or the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The second field is the name in brackets, which may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in "ZXx" else int(fields[19])
