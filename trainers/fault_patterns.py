"""The words and numbers by which faults are known that are not the trial's own.

Libraries keep to no common exceptions: torch raises RuntimeErrors that quote `strerror`, PIL
OSErrors without a number, safetensors an error of its own that quotes Rust's.
"""

import errno
import os
import re
from collections.abc import Mapping

MEND_FILE = "mend the file or take it away, or bring back the disk that it lies on"
MAKE_SPACE = "make space there, or put the checkpoints elsewhere by --set checkpoints=FOLDER"
INSTALL = "install the same packages on every node as where the search is started"
LOOK_AT_GPU = "look at the GPU of that node (`nvidia-smi`)"
_FREE = "free memory or processes of the machine"
_FILES = "raise the limit of open files (ulimit -n)"
_NETWORK = "bring the network back"
_SHARED_MEMORY = "enlarge /dev/shm"
_MEND = "mend what it names"

# --- numbers of the operating system --------------------------------------------------------------

OF_THE_CODE = frozenset(
    getattr(errno, name)
    for name in (
        *("EEXIST", "EINVAL", "ENAMETOOLONG", "ENOTEMPTY", "EBADF", "ESPIPE", "ECHILD", "ESRCH"),
        *("ENOTTY", "EDOM", "ERANGE", "EFAULT", "ENOEXEC", "E2BIG", "EILSEQ", "EISDIR", "EXDEV"),
    )
)
"""Refusals of what was asked, which no other disk and no other machine would grant."""

_ADVICE: Mapping[str, tuple[str, ...]] = {
    MAKE_SPACE: ("ENOSPC", "EDQUOT", "EFBIG"),
    "give this user permission there": ("EACCES", "EPERM", "EROFS"),
    "bring it back": ("ENOENT", "ENOTDIR"),
    _FILES: ("EMFILE", "ENFILE"),
    _FREE: ("ENOMEM", "EAGAIN"),
    _NETWORK: (
        *("ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH", "ECONNREFUSED", "ECONNRESET"),
        *("ECONNABORTED", "ETIMEDOUT", "ENOTCONN", "EPIPE"),
    ),
}
_BY_NUMBER = {getattr(errno, name): advice for advice, names in _ADVICE.items() for name in names}
_STRERRORS = "|".join(re.escape(os.strerror(n)) for n in errno.errorcode if n not in OF_THE_CODE)
_NUMBER = re.compile(
    rf"\[Errno (-?\d+)\]|\(os error (\d+)\)|\berrno = (\d+)|(?:{_STRERRORS}) \((\d+)\)"
)


def number_in(message: str) -> int | None:
    """The number of the operating system that a message quotes; negative ones are of names."""
    match = _NUMBER.search(message)
    return None if match is None else int(next(filter(None, match.groups())))


def advice_for(number: int | None) -> str:
    """What a person can do about a refusal of the operating system."""
    if number is None:
        return _MEND
    return _NETWORK if number < 0 else _BY_NUMBER.get(number, _MEND)  # below 0: of the name service


# --- words ----------------------------------------------------------------------------------------


def _table(*rows: tuple[str, str]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(words, re.IGNORECASE), advice) for words, advice in rows)


_FAULTS = _table(
    (r"no space left|PytorchStreamWriter failed|inline_container|disk is full", MAKE_SPACE),
    (r"disk quota exceeded", MAKE_SPACE),
    (r"parent directory .* does not exist|file .* cannot be opened", "bring it back"),
    (r"insufficient shared memory|out of shared memory|bus error", _SHARED_MEMORY),
    (r"too many open files|received 0 items of ancdata", _FILES),
    (r"can't start new thread", _FREE),
    (r"DataLoader worker .*(?:killed|exited unexpectedly)", "give it memory, or fewer workers"),
    (
        r"cudaGetDeviceCount|hardware stack error|NCCL error|"
        r"no CUDA-capable device|no NVIDIA driver|CUDA driver|busy or unavailable|GPU is lost|"
        r"fallen off the bus|uncorrectable|ECC error|no kernel image|CUDA unknown error|NVML|"
        r"system not yet initialized|CUDA is not available|not compiled with CUDA|"
        r"invalid device ordinal|no (?:CUDA|HIP) GPUs are available|"
        r"(?:CUDA|HIP) error: (?:unknown error|initialization error|the launch timed out)",
        LOOK_AT_GPU,
    ),
)
_WITHOUT_GPU = re.compile(r"^Torch not compiled with CUDA enabled", re.IGNORECASE)
_OF_PACKAGES = frozenset({"ImportError", "ModuleNotFoundError"})
_OF_NETWORK = frozenset(
    {
        "ConnectionError",
        "TimeoutError",
        "IncompleteRead",
        *(k.__name__ for k in ConnectionError.__subclasses__()),
    }
)
# Python's own words for mistakes in code, which may quote anything.
_MISTAKES = frozenset(
    kind.__name__
    for base in (LookupError, ValueError, TypeError, AttributeError, NameError, AssertionError)
    for kind in (base, *base.__subclasses__())
)


def fault_in(name: str, message: str) -> str | None:
    """What to do about the fault of the surroundings that an exception of this name tells of.

    None for others. `LOOK_AT_GPU` means that the process can use its GPU no more.
    """
    if name in _OF_PACKAGES:
        return INSTALL
    if name in _OF_NETWORK:
        return _NETWORK
    if name == "AssertionError" and _WITHOUT_GPU.search(message):  # torch's own
        return LOOK_AT_GPU
    if name in _MISTAKES:
        return None
    return next((advice for words, advice in _FAULTS if words.search(message)), None)


MEMORY = re.compile(
    r"out of memory|not enough memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED|"
    r"CUDNN_STATUS_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED",
    re.IGNORECASE,
)
"""An allocation was refused."""
BROKEN_FILE = re.compile(
    r"cannot identify image file|is not a readable image|image file is truncated|"
    r"broken data stream|truncated file read|decompression bomb|not a gzipped file|"
    r"compressed file ended before|file is not a zip file|bad CRC-32|pickle data was truncated|"
    r"error -\d while decompressing|corrupt input data|database disk image is malformed|"
    r"unexpected end of data|\(truncated file: eof = ",
    re.IGNORECASE,
)
"""A file of data cannot be read for what is in it."""
BROKEN_GPU = re.compile(
    r"illegal memory access|device-side assert|misaligned address|unspecified launch failure",
    re.IGNORECASE,
)
"""The process that met it can use its GPU no more."""
