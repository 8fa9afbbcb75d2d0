"""A C++ file as functions of this process: compiled once for this CPU, and kept.

It takes seconds, once a machine, and needs a C++ compiler alone: neither PyTorch's headers
nor a build system. The functions get addresses of tensors, so that they are no extension of PyTorch
and fit any version of it.
"""

import ctypes
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from space.input.paths import cache_folder

_LOG = logging.getLogger(__name__)

COMPILERS = ("c++", "g++", "clang++")
OPTIONS = ("-std=c++17", "-O3", "-fPIC", "-shared", "-fno-math-errno")
WAYS = (("-march=native", "-fopenmp"), ("-march=native",), ())
"""From the fastest on: not every compiler has threads, or knows the CPU that it runs on."""
LONGEST_S = 120.0
"""A compiler that takes longer hangs."""


def compiler() -> list[str] | None:
    """The command of the C++ compiler: $CXX, or the first of `COMPILERS` that is there."""
    asked = [given] if (given := os.environ.get("CXX")) else COMPILERS
    words = (shlex.split(each) for each in asked)
    return next(([path, *rest] for name, *rest in words if (path := shutil.which(name))), None)


@cache
def native_library(source: Path) -> ctypes.CDLL | None:
    """The functions of a C++ file; None where they cannot be made, which is said once.

    The file that is loaded lies in mixspace's cache folder, under a name that holds what it was
    made from: the source, the compiler and the CPU.
    """
    found = compiler()
    if found is None:
        given = os.environ.get("CXX")
        missing = f"{given}, the CXX of the environment" if given else "a C++ compiler"
        _LOG.info(
            "There is no C++ compiler here (%s is not found), so that some operators take their "
            "plain path, which is several times slower: install g++ or clang++, or name one in CXX",
            missing,
        )
        return None
    try:
        return _loaded(source, found)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        _LOG.warning(
            "%s could not compile %s, so that its operators take their plain path, which is "
            "several times slower: %s",
            *(found[0], source.name, said.strip()[-500:]),
        )
        return None


def _loaded(source: Path, found: list[str]) -> ctypes.CDLL:
    name = f"{source.stem}-{_fingerprint(source, found)}.so"
    with tempfile.TemporaryDirectory(prefix="mixspace-") as scratch:
        folder = _folder() or Path(scratch)
        kept = folder / name
        if kept.exists():
            try:
                return ctypes.CDLL(str(kept))
            except OSError:
                _LOG.debug("%s is broken and is made anew", kept)
        made = _compiled(source, found, Path(scratch))
        # What is mapped stays, whatever becomes of its file.
        library = ctypes.CDLL(str(made))
        _put(made, kept)
        return library


def _put(made: Path, kept: Path) -> None:
    """Whole or not at all, as several processes may make it at the same time."""
    with tempfile.NamedTemporaryFile(dir=kept.parent, prefix=kept.name, delete=False) as beside:
        try:
            beside.write(made.read_bytes())
            beside.flush()
            Path(beside.name).replace(kept)
        except OSError as error:
            Path(beside.name).unlink(missing_ok=True)
            _LOG.debug("%s is not kept: %s", kept, error)


def _folder() -> Path | None:
    """Where it is kept; None where nothing can be."""
    folder = cache_folder()
    if folder is None:
        return None
    folder = folder / "native"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) and _is_ours_alone(folder) else None


def _is_ours_alone(folder: Path) -> bool:
    """What lies there runs in this process, so nobody else may have put it there."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _compiled(source: Path, found: list[str], scratch: Path) -> Path:
    made = scratch / f"{source.stem}.so"
    failed = subprocess.CalledProcessError(1, found[0])
    for options in WAYS:
        command = [*found, *OPTIONS, *options, str(source), "-o", str(made)]
        try:
            _run(command)
        except subprocess.CalledProcessError as error:
            failed = error
        else:
            return made
    raise failed


def _fingerprint(source: Path, found: list[str]) -> str:
    """16 digits of the source, the compiler and the CPU: homes are shared between machines."""
    version = _run([*found, "--version"])
    parts = source.read_text(encoding="utf-8"), version, repr((found, OPTIONS, WAYS)), _cpu()
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _run(command: list[str]) -> str:
    """What a command prints, in whatever encoding.

    Raises:
        OSError, subprocess.SubprocessError: it failed, or took too long.
    """
    ended = subprocess.run(
        command, check=True, capture_output=True, text=True, errors="replace", timeout=LONGEST_S
    )
    return ended.stdout


def _cpu() -> str:
    """What tells CPUs apart that a program may be made for."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text(encoding="utf-8").splitlines() if told.is_file() else []
    names = ("flags", "Features", "model name", "CPU part")
    kept = sorted({line for line in lines if line.split("\t")[0].split(":")[0].strip() in names})
    return "\n".join([platform.machine(), platform.processor(), *kept])
